-- Mail that is nobody's yet.

-- name: columns
m.id, m.organization_id, m.sender, m.sender_name, m.recipients, m.subject, m.received_at, m.kind, m.why, m.status,
m.unassigned_reason AS reason, m.attachments, m.sender_proof AS proof, m.handled_at, m.handled_by, m.return_on,
m.bounce_class, m.bounce_recipient, m.bounce_status, m.opt_out_words

-- name: listing
SELECT {columns} FROM incoming_messages m WHERE m.status = :status AND m.unassigned_reason IS NOT NULL
  AND (CAST(:organization_id AS uuid) IS NULL OR m.organization_id = :organization_id)
  AND (CAST(:before AS uuid) IS NULL OR (m.received_at, m.id) < (SELECT p.received_at, p.id FROM incoming_messages p
    WHERE p.id = :before AND (CAST(:organization_id AS uuid) IS NULL OR p.organization_id = :organization_id)))
ORDER BY m.received_at DESC, m.id DESC LIMIT :limit

-- name: count
SELECT count(*) FROM (SELECT FROM incoming_messages WHERE organization_id = :organization_id AND status = 'unassigned' LIMIT :most) listed

-- name: load
SELECT {columns} FROM incoming_messages m WHERE m.id = :id AND m.unassigned_reason IS NOT NULL

-- name: lock
{load} FOR UPDATE

-- name: text
SELECT organization_id, text, html FROM incoming_messages WHERE id = :id

-- name: files
SELECT id, organization_id, name, content_type, content FROM incoming_files WHERE incoming_message_id = :id ORDER BY id

-- name: newest_enrollment
SELECT e.id AS enrollment_id, s.mailbox_id FROM enrollments e JOIN sequences s ON s.id = e.sequence_id
WHERE e.candidate_id = :id ORDER BY e.status = 'active' DESC, e.created_at DESC, e.id DESC LIMIT 1

-- name: assign
UPDATE incoming_messages SET status = 'matched', candidate_id = :candidate_id, enrollment_id = :enrollment_id, why = :why
WHERE id = :id

-- name: discard
UPDATE incoming_messages SET status = 'discarded', handled_at = clock_timestamp(), handled_by = :actor WHERE id = :id

-- name: forget
DELETE FROM incoming_messages WHERE id IN (SELECT id FROM incoming_messages WHERE status <> 'matched'
  AND recorded_at < clock_timestamp() - CAST(:age AS interval) LIMIT :limit FOR UPDATE SKIP LOCKED)
