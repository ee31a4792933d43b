-- name: link
SELECT c.dropped_position, c.dropped_hash, c.position AS head, a.hash FROM audit_chains c
LEFT JOIN audit_entries a ON a.organization_id = c.organization_id AND a.position = :position
WHERE c.organization_id = :id

-- name: heads
SELECT o.name, c.organization_id IS NOT NULL AS begun, c.organization_id IS NULL AND EXISTS (
    SELECT FROM audit_entries a WHERE a.organization_id = o.id AND a.position IS NOT NULL) AS gone,
  o.id AS organization_id, coalesce(c.position, 0) AS position, coalesce(c.hash, :none) AS hash,
  coalesce(c.dropped_position, 0) AS dropped_position, coalesce(c.dropped_hash, :none) AS dropped_hash, c.kept_from,
  coalesce(c.unkeyed, 0) AS unkeyed, coalesce(c.key_id, '') AS key_id, coalesce(c.seal, '') AS seal
FROM organizations o LEFT JOIN audit_chains c ON c.organization_id = o.id ORDER BY o.name, o.id
