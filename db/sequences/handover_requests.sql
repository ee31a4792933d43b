-- Requests to take a sequence over.

-- name: add
INSERT INTO handover_requests (id, organization_id, sequence_id, to_owner_id, asked_by_id, asked_by, words)
VALUES (:id, :organization_id, :sequence_id, :to_owner_id, :asked_by_id, :asked_by, :words)
ON CONFLICT (sequence_id) WHERE status = 'open' DO NOTHING RETURNING id

-- name: requests
SELECT r.id, r.organization_id, r.sequence_id, s.name AS sequence, s.owner_id, r.to_owner_id, m.name AS to_owner, r.asked_by_id,
  r.asked_by, r.words, r.status, r.created_at, r.settled_at, r.settled_by
FROM handover_requests r JOIN sequences s ON s.id = r.sequence_id JOIN members m ON m.id = r.to_owner_id

-- name: one
{requests} WHERE r.id = :id

-- name: open_of
{requests} WHERE r.sequence_id = :id AND r.status = 'open'

-- name: open_for
{requests} WHERE r.to_owner_id = :id AND r.status = 'open' AND s.status <> 'archived' ORDER BY r.created_at, r.id LIMIT 50

-- name: of_organization
{requests} WHERE r.organization_id = :id ORDER BY r.created_at DESC, r.id LIMIT 200

-- name: settle
UPDATE handover_requests SET status = :status, settled_at = clock_timestamp(), settled_by = :by
WHERE id = :id AND status = 'open' RETURNING id

-- name: cancel_open
UPDATE handover_requests SET status = 'cancelled', settled_at = clock_timestamp(), settled_by = :by
WHERE sequence_id = :id AND status = 'open'
