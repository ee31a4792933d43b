-- What a person says of an answer.

-- name: classify
UPDATE incoming_messages SET kind = 'answer', answer_class = :answer_class,
  handled_at = coalesce(handled_at, clock_timestamp()), handled_by = coalesce(handled_by, :actor)
WHERE id = :id AND status = 'matched' AND kind IN ('answer', 'unclear') RETURNING candidate_id

-- name: message
SELECT m.id, m.organization_id, coalesce(m.mailbox_id, s.mailbox_id) AS mailbox_id, m.kind, m.enrollment_id, m.candidate_id, m.sender,
  m.received_at, m.matched_by = 'thread_stranger' AS stranger
FROM incoming_messages m LEFT JOIN enrollments e ON e.id = m.enrollment_id LEFT JOIN sequences s ON s.id = e.sequence_id
WHERE m.id = :id

-- name: certain
UPDATE candidates SET unclear_until = NULL WHERE id = :id

-- name: no_opt_out
-- A proposed opt-out is an answer: a no, or one that waits to be filed.
UPDATE incoming_messages SET kind = 'answer', answer_class = CASE WHEN :no THEN 'no' END,
  handled_at = CASE WHEN :no THEN clock_timestamp() END, handled_by = CASE WHEN :no THEN CAST(:actor AS text) END
WHERE id = :id AND status = 'matched' AND {proposes} AND overruled_at IS NULL RETURNING organization_id
