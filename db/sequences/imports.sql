-- name: upsert_organization
INSERT INTO organizations (id, name, time_zone, sending) VALUES (:id,
  coalesce((SELECT o.name FROM organizations o WHERE lower(o.name) = lower(:name) ORDER BY o.name <> :name LIMIT 1), :name),
  :time_zone, CAST(:sending AS jsonb))
ON CONFLICT (name) DO UPDATE SET time_zone = excluded.time_zone,
  sending = CASE WHEN :keep THEN organizations.sending ELSE excluded.sending END
WHERE (organizations.time_zone, organizations.sending) IS DISTINCT FROM
  (excluded.time_zone, CASE WHEN :keep THEN organizations.sending ELSE excluded.sending END)
RETURNING id

-- name: upsert_member
INSERT INTO members (id, organization_id, legal_entity_id, name, email, role)
VALUES (:id, :organization_id, :entity_id, :name, :email, coalesce(:role, 'member'))
ON CONFLICT (organization_id, email) DO UPDATE SET name = excluded.name,
  legal_entity_id = CASE WHEN :keep THEN members.legal_entity_id ELSE excluded.legal_entity_id END
WHERE (members.name, members.legal_entity_id) IS DISTINCT FROM (excluded.name,
  CASE WHEN :keep THEN members.legal_entity_id ELSE excluded.legal_entity_id END)
RETURNING id

-- name: upsert_entity
INSERT INTO legal_entities (id, organization_id, name, parent_id) VALUES (:id, :organization_id, :name,
  (SELECT p.id FROM legal_entities p WHERE p.organization_id = :organization_id AND p.name = :parent))
ON CONFLICT (organization_id, name) DO UPDATE SET parent_id = excluded.parent_id
WHERE legal_entities.parent_id IS DISTINCT FROM excluded.parent_id RETURNING id

-- name: add_mailbox
INSERT INTO mailboxes (id, organization_id, owner_id, address, provider)
VALUES (:id, :organization_id, :owner_id, :address, 'graph')
ON CONFLICT (organization_id, address) DO NOTHING RETURNING id

-- name: upsert_lane
INSERT INTO lanes (mailbox_id, organization_id, daily_cap, zone) VALUES (:id, :organization_id, :cap, :zone)
ON CONFLICT (mailbox_id) DO UPDATE SET daily_cap = excluded.daily_cap
WHERE lanes.daily_cap <> excluded.daily_cap AND NOT :keep RETURNING mailbox_id

-- name: sending
SELECT s.sending, o.sending AS organization_sending, b.settings->'window' AS mailbox_sending FROM sequences s
JOIN organizations o ON o.id = s.organization_id JOIN mailboxes b ON b.id = s.mailbox_id WHERE s.id = :id

-- name: lock_lanes
SELECT 1 FROM lanes WHERE mailbox_id IN (SELECT mailbox_id FROM sequences WHERE id = :id
  UNION SELECT CAST(:also AS uuid) UNION SELECT mailbox_id FROM deliveries WHERE sequence_id = :id AND state NOT IN ('sent', 'closed'))
ORDER BY mailbox_id FOR UPDATE
