-- name: begin
INSERT INTO withdrawals (id, organization_id, cause_key, action, subject_id, actor)
VALUES (:id, :organization_id, :cause_key, :action, :subject_id, :actor)
ON CONFLICT (organization_id, cause_key) DO UPDATE SET action = excluded.action RETURNING id

-- name: finish
UPDATE withdrawals SET answered_at = clock_timestamp(), stopped = :stopped, already_sent = :already_sent,
  last_sent_at = :last_sent_at, in_doubt = :in_doubt, touched = CAST(:touched AS jsonb)
WHERE id = :id AND answered_at IS NULL

-- name: doubts
SELECT coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS person, s.name AS sequence, d.state, d.sent_at
FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id
JOIN sequences s ON s.id = d.sequence_id WHERE d.id = ANY(:ids) ORDER BY 1

-- What a withdrawal was about: its name, the address it sends from, and the members it concerns.

-- name: of_grant
SELECT coalesce(p.name, 'everyone') AS name, b.address, ARRAY[g.mailbox_owner_id, g.grantee_id] AS concerned FROM grants g
JOIN mailboxes b ON b.id = g.mailbox_id LEFT JOIN members p ON p.id = g.grantee_id WHERE g.id = :id

-- name: of_mailbox
SELECT b.address AS name, b.address, ARRAY[b.owner_id] AS concerned FROM mailboxes b WHERE b.id = :id

-- name: of_member
SELECT name, email AS address, ARRAY[]::uuid[] AS concerned FROM members WHERE id = :id

-- name: of_sequence
SELECT s.name, b.address, ARRAY[s.owner_id] AS concerned FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id
WHERE s.id = :id

-- name: of_enrollment
SELECT trim(c.first_name || ' ' || c.last_name) AS name, c.email AS address, ARRAY[s.owner_id] AS concerned
FROM enrollments e JOIN candidates c ON c.id = e.candidate_id JOIN sequences s ON s.id = e.sequence_id WHERE e.id = :id

-- name: of_candidate
SELECT trim(first_name || ' ' || last_name) AS name, email AS address, ARRAY[]::uuid[] AS concerned
FROM candidates WHERE id = :id

-- name: of_organization
SELECT name, '' AS address, ARRAY[]::uuid[] AS concerned FROM organizations WHERE id = :id
