-- name: take_turn
-- Two people who hold the same thing at once make one hold.
SELECT pg_advisory_xact_lock(hashtextextended('hold ' || CAST(:what AS text), 0))

-- name: same
h.ended_at IS NULL AND h.organization_id IS NOT DISTINCT FROM CAST(:organization_id AS uuid)
  AND h.mailbox_id IS NOT DISTINCT FROM CAST(:mailbox_id AS uuid)

-- name: present
SELECT h.id, h.until, clock_timestamp() AS now FROM holds h
WHERE {same} AND h.level = :level AND (h.until IS NULL OR h.until > clock_timestamp()) ORDER BY h.since LIMIT 1

-- name: own
SELECT to_jsonb(h) AS hold FROM holds h WHERE {same} AND (h.until IS NULL OR h.until > clock_timestamp())

-- name: place
INSERT INTO holds (id, organization_id, mailbox_id, level, held_by, reason, until)
VALUES (:id, :organization_id, :mailbox_id, :level, :held_by, :reason, :until)

-- name: lengthen
UPDATE holds SET until = :until, held_by = :held_by, reason = :reason WHERE id = :id

-- name: release
UPDATE holds h SET ended_at = clock_timestamp(), ended_by = :ended_by
WHERE {same} AND h.level = ANY(:levels) RETURNING h.id

-- name: expire
UPDATE holds h SET ended_at = clock_timestamp(), ended_by = 'onbehalf'
WHERE h.id = (SELECT id FROM holds WHERE ended_at IS NULL AND until <= clock_timestamp() LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING h.id, h.organization_id, h.mailbox_id

-- name: lanes_of
-- Those that may be about to send. A mailbox that is made later reads the hold.
SELECT mailbox_id FROM lanes WHERE organization_id = :organization_id ORDER BY mailbox_id

-- name: lock_some
SELECT mailbox_id FROM lanes WHERE mailbox_id > :after ORDER BY mailbox_id LIMIT 200 FOR UPDATE

-- name: on_the_way
SELECT d.id AS delivery_id, o.name AS organization, b.address, d.state, coalesce(d.send_started_at, d.queued_at) AS since
FROM deliveries d JOIN mailboxes b ON b.id = d.mailbox_id JOIN organizations o ON o.id = d.organization_id
WHERE d.state IN ('preparing', 'drafted', 'sending')
UNION ALL
SELECT NULL, o.name, b.address, 'test email', l.refilled_at FROM lanes l
JOIN mailboxes b ON b.id = l.mailbox_id JOIN organizations o ON o.id = l.organization_id
WHERE l.testing_until > clock_timestamp() ORDER BY since

-- name: listed
SELECT h.*, o.name AS organization, b.address, b.owner_id FROM holds h LEFT JOIN organizations o ON o.id = h.organization_id
LEFT JOIN mailboxes b ON b.organization_id = h.organization_id AND b.id = h.mailbox_id
WHERE h.ended_at IS NULL AND (h.until IS NULL OR h.until > clock_timestamp())
  AND (CAST(:organization_id AS uuid) IS NULL OR h.organization_id = :organization_id OR h.organization_id IS NULL)
ORDER BY o.name NULLS FIRST, b.address NULLS FIRST, h.since

-- name: mailboxes
SELECT id, address FROM mailboxes WHERE organization_id = :organization_id AND status <> 'never_connected'
ORDER BY address LIMIT 500
