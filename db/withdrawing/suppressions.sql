-- name: active_id
SELECT id FROM suppressions WHERE organization_id = :organization_id AND kind = :kind AND value = :value AND lifted_at IS NULL

-- name: add
INSERT INTO suppressions (id, organization_id, kind, value, reason, source, created_by, candidate_id)
VALUES (:id, :organization_id, :kind, :value, :reason, :source, :actor,
  (SELECT id FROM candidates WHERE organization_id = :organization_id AND email = :value))
ON CONFLICT DO NOTHING RETURNING id

-- name: present
SELECT kind, value FROM suppressions WHERE organization_id = :organization_id AND lifted_at IS NULL
  AND value = ANY(CAST(:values AS text[]))

-- name: lift
UPDATE suppressions SET lifted_at = clock_timestamp(), lifted_by = :actor, lift_reason = :reason
WHERE id = :id AND organization_id = :organization_id AND lifted_at IS NULL RETURNING id

-- name: entries
SELECT p.id, p.kind, p.value, p.address_hash, p.reason, p.source, p.created_by, p.created_at, p.lifted_at, p.lifted_by, p.lift_reason,
  trim(c.first_name || ' ' || c.last_name) AS person
FROM suppressions p LEFT JOIN candidates c ON c.id = p.candidate_id
WHERE p.organization_id = :organization_id AND (p.lifted_at IS NOT NULL) = :lifted
  AND (CAST(:kind AS text) IS NULL OR p.kind = :kind)
  AND (CAST(:reason AS text) IS NULL OR p.reason = :reason)
  AND (CAST(:search AS text) IS NULL OR strpos(p.value, :search) > 0)
  AND (CAST(:only AS uuid) IS NULL OR p.id = :only)
  AND (CAST(:before AS uuid) IS NULL OR p.id < :before)
ORDER BY p.id DESC LIMIT :limit

-- name: counts
SELECT count(*) FILTER (WHERE lifted_at IS NULL AND kind = 'address') AS addresses,
  count(*) FILTER (WHERE lifted_at IS NULL AND kind = 'domain') AS domains,
  count(*) FILTER (WHERE lifted_at IS NOT NULL) AS lifted
FROM suppressions WHERE organization_id = :organization_id

-- name: recognise
UPDATE suppressions s SET value = n.address
FROM unnest(CAST(:addresses AS text[]), CAST(:hashes AS bytea[])) AS n (address, hash)
WHERE s.organization_id = :organization_id AND s.kind = 'address' AND s.value IS NULL AND s.lifted_at IS NULL
  AND s.address_hash = n.hash
  AND NOT EXISTS (SELECT FROM suppressions o WHERE o.organization_id = s.organization_id AND o.kind = 'address'
    AND o.value = n.address AND o.lifted_at IS NULL)

-- name: recognised
SELECT n.address FROM suppressions s
JOIN unnest(CAST(:addresses AS text[]), CAST(:hashes AS bytea[])) AS n (address, hash) ON s.address_hash = n.hash
WHERE s.organization_id = :organization_id AND s.kind = 'address' AND s.value IS NULL AND s.lifted_at IS NULL

-- name: forget
UPDATE suppressions SET value = NULL, address_hash = :hash, source = '', candidate_id = NULL, delivery_id = NULL
WHERE organization_id = :organization_id AND kind = 'address' AND value = :value
