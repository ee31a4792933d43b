-- name: counting
WITH RECURSIVE chain AS (
  SELECT y.id, y.parent_id, 0 AS depth FROM legal_entities y WHERE y.id = :entity
  UNION ALL SELECT y.id, y.parent_id, c.depth + 1 FROM chain c JOIN legal_entities y ON y.id = c.parent_id WHERE c.depth < 50)
SELECT b.id FROM mailboxes b LEFT JOIN chain c ON c.id = b.legal_entity_id
WHERE b.organization_id = :organization_id AND b.owner_id IS NULL
  AND (c.id IS NOT NULL OR b.legal_entity_id IS NULL)
  AND (b.provider = 'default' OR (b.connection_version > 0 AND b.status_reason IS DISTINCT FROM 'disabled'))
ORDER BY b.provider = 'default', c.depth NULLS LAST LIMIT 1

-- name: add_default
INSERT INTO mailboxes (id, organization_id, address, provider, status, connection_version, connected_at)
VALUES (:id, :organization_id, :address, 'default', 'connected', 1, clock_timestamp())
ON CONFLICT DO NOTHING RETURNING id

-- name: overview
SELECT y.id, y.name, b.id AS mailbox_id, b.address, b.provider, b.status, b.status_reason
FROM (SELECT NULL::uuid AS id, o.name, 0 AS place FROM organizations o WHERE o.id = :id
  UNION ALL SELECT y.id, y.name, 1 FROM legal_entities y WHERE y.organization_id = :id) y
LEFT JOIN mailboxes b ON b.organization_id = :id AND b.owner_id IS NULL AND b.provider <> 'default'
  AND b.legal_entity_id IS NOT DISTINCT FROM y.id ORDER BY y.place, lower(y.name)
