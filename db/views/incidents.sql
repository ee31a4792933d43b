-- name: listing
SELECT n.id, n.title, n.body, n.links, n.owner_id, m.name AS owner, v.kind, n.opened_at, n.acknowledged_at,
  n.acknowledged_by, n.escalated_at, n.closed_at, n.read_at, n.opened_at + make_interval(hours => o.unread_hours) AS passes_on_at,
  b.name AS backup
FROM notices n JOIN events v ON v.id = n.event_id JOIN members m ON m.id = n.owner_id
JOIN organizations o ON o.id = n.organization_id LEFT JOIN members b ON b.id = m.backup_id AND b.active
WHERE n.organization_id = :organization_id AND n.opened_at IS NOT NULL AND {which} AND {seen}
  AND (CAST(:sequence_id AS uuid) IS NULL
    OR EXISTS (SELECT FROM pauses p WHERE p.event_id = n.event_id AND p.sequence_id = :sequence_id))
ORDER BY {order} LIMIT :limit

-- name: standing
n.closed_at IS NULL

-- name: settled
n.closed_at > clock_timestamp() - interval '1 day'

-- name: seen
-- One's own; what others have not read and has come to oneself; or everybody's.
(:whole OR n.owner_id = CAST(:member_id AS uuid) OR n.escalated_at IS NOT NULL AND EXISTS (SELECT FROM members w
  WHERE w.id = n.owner_id AND (w.backup_id = CAST(:member_id AS uuid) OR :manages
    AND NOT EXISTS (SELECT FROM members b WHERE b.id = w.backup_id AND b.active))))

-- name: count
SELECT count(*) FROM (SELECT FROM notices n WHERE n.organization_id = :organization_id AND n.opened_at IS NOT NULL
  AND n.closed_at IS NULL AND n.acknowledged_at IS NULL AND {seen} LIMIT :most) waiting

-- name: may_see
SELECT EXISTS (SELECT FROM notices n WHERE n.id = :id AND n.organization_id = :organization_id
  AND n.opened_at IS NOT NULL AND {seen})
