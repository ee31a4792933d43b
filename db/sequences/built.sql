-- Sequences as somebody builds them by hand.

-- name: built
SELECT s.id, s.organization_id, s.owner_id, w.name AS owner, s.mailbox_id, b.address, coalesce(h.name, '') AS sender,
  b.status AS mailbox_status, s.uses_sender_address, s.name, s.status, s.kind, s.sending, s.fields, s.version, s.opt_out_line, s.with_signature,
  o.sending AS organization_sending, o.time_zone,
  EXISTS (SELECT FROM enrollments e WHERE e.sequence_id = s.id) AS people
FROM sequences s JOIN members w ON w.id = s.owner_id JOIN mailboxes b ON b.id = s.mailbox_id
LEFT JOIN members h ON h.id = b.owner_id JOIN organizations o ON o.id = s.organization_id WHERE s.id = :id

-- name: make
INSERT INTO sequences (id, organization_id, owner_id, mailbox_id, uses_sender_address, name, status, sending, fields,
  stop_scope, opt_out_line, with_signature)
VALUES (:id, :organization_id, :owner_id, :mailbox_id, :uses_sender_address, :name, 'draft', CAST(:sending AS jsonb),
  CAST(:fields AS text[]), :stop_scope, :opt_out_line, :with_signature)
ON CONFLICT (id) DO NOTHING RETURNING id

-- name: senders
-- What a member's sequence may send from, what they chose first, then their own: their mailbox, connected or not, what colleagues let them send from,
-- and the sender address ``:shared`` that applies to them. A permission for named sequences covers ``:sequence`` if it names it.
SELECT b.id, b.address, coalesce(h.name, '') AS owner, b.owner_id IS NULL AS shared, b.status = 'connected' AS connected
FROM mailboxes b LEFT JOIN members h ON h.id = b.owner_id
WHERE b.organization_id = :organization_id AND h.active IS NOT FALSE
  AND (b.owner_id IS NOT NULL OR b.id = CAST(:shared AS uuid)) AND {permitted}
ORDER BY {chosen_first}, b.owner_id = :member_id DESC NULLS LAST, b.owner_id IS NULL, b.address LIMIT 200

-- name: steps
SELECT t.id, t.position, t.whole_delay AS delay, t.subject, t.body, t.kind, t.version,
  count(d.id) FILTER (WHERE d.state = 'sent') AS sent,
  count(d.id) FILTER (WHERE d.state IN ('pending', 'queued', 'preparing', 'drafted', 'sending')
    AND e.status IN ('active', 'paused')) AS waiting
FROM steps t LEFT JOIN deliveries d ON d.sequence_id = :id AND d.step_id = t.id LEFT JOIN enrollments e ON e.id = d.enrollment_id
WHERE t.sequence_id = :id AND t.retired_at IS NULL GROUP BY t.id ORDER BY t.position

-- name: change
UPDATE sequences SET name = :name, sending = CAST(:sending AS jsonb), fields = CAST(:fields AS text[]),
  with_signature = coalesce(CAST(:with_signature AS boolean), with_signature), version = version + 1
WHERE id = :id AND (name, sending, fields, with_signature) IS DISTINCT FROM
  (:name, CAST(:sending AS jsonb), CAST(:fields AS text[]), coalesce(CAST(:with_signature AS boolean), with_signature)) RETURNING id

-- name: copied_from
SELECT stop_scope, opt_out_line FROM sequences WHERE id = :id
