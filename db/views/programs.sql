-- What other programs use: keys of the API, and the last calls of webhooks.

-- name: keys
SELECT id, name, scopes, created_at, used_at, revoked_at, expires_at,
  coalesce(expires_at <= clock_timestamp(), false) AS expired,
  CASE WHEN former_until > clock_timestamp() AND revoked_at IS NULL THEN former_until END AS former_until FROM api_keys WHERE organization_id = :organization_id
  AND ('provision' = ANY(scopes)) = coalesce(CAST(:provision AS boolean), 'provision' = ANY(scopes))
ORDER BY revoked_at IS NOT NULL, lower(name) LIMIT 500

-- name: key
SELECT id, name, scopes, created_at, used_at, revoked_at, expires_at,
  coalesce(expires_at <= clock_timestamp(), false) AS expired,
  CASE WHEN former_until > clock_timestamp() AND revoked_at IS NULL THEN former_until END AS former_until FROM api_keys WHERE organization_id = :organization_id AND id = :id

-- name: calls
SELECT c.webhook_id, c.event_id, w.host, e.kind, c.state, c.attempts, c.answer, c.created_at
FROM webhook_calls c JOIN webhooks w ON w.id = c.webhook_id JOIN events e ON e.id = c.event_id
WHERE c.organization_id = :organization_id AND (CAST(:webhook_id AS uuid) IS NULL OR c.webhook_id = CAST(:webhook_id AS uuid))
  AND (CAST(:before AS uuid) IS NULL OR (c.created_at, c.event_id, c.webhook_id) < (SELECT p.created_at, p.event_id, p.webhook_id
    FROM webhook_calls p WHERE p.event_id = CAST(:before AS uuid) AND p.webhook_id = CAST(:before_webhook AS uuid)))
ORDER BY c.created_at DESC, c.event_id DESC, c.webhook_id DESC LIMIT CAST(:limit AS int)
