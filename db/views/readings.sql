-- What was read of a member's mailboxes.

-- name: mailboxes
SELECT b.id, b.address, b.status, b.provider = ANY(:readable) AS readable, r.read_as_of, r.next_read_at, coalesce(r.seen, 0) AS seen,
  coalesce(r.matched, 0) AS matched, r.last_error
FROM mailboxes b LEFT JOIN mailbox_reads r ON r.mailbox_id = b.id WHERE b.owner_id = :member_id ORDER BY b.address

-- name: kept
SELECT m.id, m.received_at, m.sender, m.subject, m.kind, m.matched_by, m.why, m.candidate_id, m.mailbox_id,
  coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS person, s.name AS sequence, w.name AS for_whom
FROM mailboxes b JOIN incoming_messages m ON m.mailbox_id = b.id LEFT JOIN candidates c ON c.id = m.candidate_id
LEFT JOIN enrollments e ON e.id = m.enrollment_id LEFT JOIN sequences s ON s.id = e.sequence_id LEFT JOIN members w ON w.id = s.owner_id
WHERE b.owner_id = :member_id
  AND (CAST(:before AS uuid) IS NULL OR (m.received_at, m.id) < (SELECT p.received_at, p.id FROM incoming_messages p WHERE p.id = :before))
ORDER BY m.received_at DESC, m.id DESC LIMIT :limit
