-- Which emails of ours incoming ones may be about, and which items are on record.

-- name: possible
-- What left, or may have left. Each part by an index of its own.
WITH found AS (
  SELECT id FROM deliveries WHERE internet_message_id = ANY(:message_ids) AND {left}
  UNION SELECT id FROM deliveries WHERE conversation_id = ANY(:conversations) AND mailbox_id = :mailbox_id AND {left}
  UNION SELECT id FROM deliveries WHERE id = ANY(CAST(:deliveries AS uuid[])) AND {left}
  UNION SELECT v.id FROM candidates k JOIN enrollments n ON n.candidate_id = k.id
    JOIN LATERAL (SELECT id, state FROM deliveries WHERE enrollment_id = n.id AND mailbox_id = :mailbox_id OFFSET 0) v ON true
    WHERE k.organization_id = :organization_id AND k.email = ANY(:addresses) AND v.{left}
  UNION SELECT id FROM deliveries WHERE organization_id = :organization_id AND sent_to = ANY(:addresses) AND mailbox_id = :mailbox_id)
SELECT d.id, d.enrollment_id, e.candidate_id, coalesce(d.sent_to, c.email) AS email, b.address AS sender,
  nullif(d.internet_message_id, '') AS message_id, nullif(d.conversation_id, '') AS conversation_id, t.body,
  coalesce(d.sent_at, d.send_started_at, d.created_at) AS sent_at,
  ARRAY(SELECT o.internet_message_id FROM deliveries o WHERE o.enrollment_id = d.enrollment_id AND o.id <> d.id
    AND o.internet_message_id <> '') AS others
FROM found f JOIN deliveries d ON d.id = f.id JOIN enrollments e ON e.id = d.enrollment_id
JOIN candidates c ON c.id = e.candidate_id JOIN mailboxes b ON b.id = d.mailbox_id JOIN steps t ON t.id = d.step_id
WHERE d.organization_id = :organization_id

-- name: note_copies
UPDATE deliveries d SET internet_message_id = n.message_id,
  conversation_id = coalesce(nullif(n.conversation_id, ''), d.conversation_id)
FROM unnest(CAST(:correlation_ids AS text[]), CAST(:message_ids AS text[]), CAST(:conversations AS text[]))
  AS n (correlation_id, message_id, conversation_id)
WHERE d.id = ANY(ARRAY(SELECT id FROM deliveries WHERE mailbox_id = :mailbox_id AND state = 'sent'
    AND sent_at > clock_timestamp() - interval '2 days'))
  AND d.correlation_id = n.correlation_id AND n.message_id <> ''
  AND (d.internet_message_id, d.conversation_id)
    IS DISTINCT FROM (n.message_id, coalesce(nullif(n.conversation_id, ''), d.conversation_id))
