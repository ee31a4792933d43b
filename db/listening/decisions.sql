-- name: recent
SELECT m.id, m.received_at, m.kind, coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS person, c.email,
  m.sender, m.subject, s.name AS sequence, m.why, m.opt_out_words AS words, m.return_on, m.bounce_class, m.bounce_status, m.candidate_id,
  m.handled_at, m.handled_by, m.overruled_at, m.overruled_by, m.overrule_reason
FROM incoming_messages m JOIN candidates c ON c.id = m.candidate_id
LEFT JOIN enrollments e ON e.id = m.enrollment_id LEFT JOIN sequences s ON s.id = e.sequence_id
LEFT JOIN mailboxes b ON b.id = m.mailbox_id
WHERE m.organization_id = :organization_id AND m.status = 'matched'
  AND (CAST(:candidate_id AS uuid) IS NULL OR m.candidate_id = :candidate_id)
  AND (CAST(:only_in AS uuid) IS NULL OR b.owner_id = CAST(:only_in AS uuid))
  AND (NOT :only_open OR m.handled_at IS NULL AND m.overruled_at IS NULL
    AND (m.kind = 'unclear' OR m.kind = 'opt_out' AND m.opt_out_words IS NOT NULL))
ORDER BY m.received_at DESC, m.id LIMIT :limit
