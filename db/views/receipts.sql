-- name: of_person
SELECT r.delivery_id, r.accepted_at, r.authority, r.checks, r.template_version, r.internet_message_id, r.sender, r.connection_version,
  r.known_by, r.grant_version, coalesce(d.sent_to, c.email) AS recipient, w.name AS owner, h.name AS granted_by, g.given_at AS grant_given_at
FROM receipts r JOIN deliveries d ON d.id = r.delivery_id JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id
JOIN members w ON w.id = r.owner_id JOIN mailboxes b ON b.id = r.mailbox_id
LEFT JOIN grants g ON g.id = r.grant_id LEFT JOIN members h ON h.id = g.mailbox_owner_id
WHERE e.candidate_id = :id AND (CAST(:only_in AS uuid) IS NULL OR b.owner_id = CAST(:only_in AS uuid))
ORDER BY r.accepted_at DESC LIMIT CAST(:limit AS int)
