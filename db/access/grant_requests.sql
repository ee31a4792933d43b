-- name: context
-- A member may ask for more time, and for other sequences than those named.
SELECT b.id, b.organization_id, b.owner_id, b.address, h.active AS mailbox_owner_active, m.name, m.active, {granted} AS granted
FROM members m JOIN mailboxes b ON b.organization_id = m.organization_id JOIN members h ON h.id = b.owner_id
WHERE m.id = :id AND b.address = lower(:address)

-- name: add
INSERT INTO grant_requests (id, organization_id, mailbox_id, requester_id, words, program)
VALUES (:id, :organization_id, :mailbox_id, :requester_id, :words, :program)
ON CONFLICT (mailbox_id, requester_id) WHERE status = 'open' DO NOTHING RETURNING id

-- name: listed
SELECT r.id, m.name || CASE r.program WHEN '' THEN '' ELSE ' (by the program ' || r.program || ')' END AS person,
  m.id AS person_id, b.address, r.words, r.created_at FROM grant_requests r
JOIN mailboxes b ON b.id = r.mailbox_id JOIN members m ON m.id = r.requester_id
WHERE r.status = 'open' AND m.active AND {whose} ORDER BY r.created_at, r.id

-- name: open_request
SELECT r.organization_id, r.mailbox_id, r.requester_id, b.address FROM grant_requests r
JOIN mailboxes b ON b.id = r.mailbox_id WHERE r.id = :id AND b.owner_id = :owner AND r.status = 'open'
FOR UPDATE OF r
