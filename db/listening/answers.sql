-- Before a follow-up: has the person answered, and is every mailbox read in which they may have?

-- name: heard
-- The mailboxes that sent to this person in this sequence: usually one, more where the sender has changed.
SELECT (SELECT kind FROM incoming_messages m WHERE enrollment_id = :id AND ({ends})
    AND NOT {corrected} ORDER BY received_at DESC LIMIT 1) AS ended_by,
  coalesce(bool_or({can_read}), false) AS readable,
  CASE WHEN bool_and(r.read_as_of IS NOT NULL) FILTER (WHERE {can_read})
    THEN min(r.read_as_of) FILTER (WHERE {can_read}) END AS read_as_of,
  coalesce(array_agg(b.id) FILTER (WHERE {can_read}
    AND coalesce(r.read_as_of < clock_timestamp() - CAST(:again AS interval), true)), '{}') AS unread,
  coalesce(bool_or(EXISTS (SELECT FROM received_mail w WHERE w.mailbox_id = b.id AND w.processed_at IS NULL)), false) AS unprocessed
FROM (SELECT DISTINCT mailbox_id FROM (SELECT mailbox_id FROM deliveries WHERE enrollment_id = :id AND state = 'sent'
  OFFSET 0) d) m
JOIN mailboxes b ON b.id = m.mailbox_id LEFT JOIN mailbox_reads r ON r.mailbox_id = b.id
