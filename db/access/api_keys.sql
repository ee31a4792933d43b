-- name: reserve
INSERT INTO idempotency_keys (organization_id, key, request_hash) VALUES (:organization_id, :key, :hash)
ON CONFLICT (organization_id, key) DO UPDATE SET created_at = clock_timestamp()
WHERE idempotency_keys.status IS NULL AND idempotency_keys.request_hash = ANY(:known)
  AND idempotency_keys.created_at < clock_timestamp() - CAST(:given_up AS interval) RETURNING key
