-- What others sent from somebody's mailboxes, by the index of receipts of each permission.

-- name: mine
SELECT id, archived_at FROM grants WHERE mailbox_id = ANY(CAST(:mailbox_ids AS uuid[])) AND archived_at IS NULL
UNION ALL SELECT id, archived_at FROM grants WHERE mailbox_id = ANY(CAST(:mailbox_ids AS uuid[])) AND archived_at IS NOT NULL

-- name: sent
WITH mine AS ({mine}),
since AS (SELECT coalesce((SELECT accepted_at FROM receipts WHERE delivery_id = CAST(:before AS uuid)), 'infinity') AS at,
  coalesce(CAST(:before AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff') AS id),
newest AS (
  SELECT x.*, m.archived_at IS NOT NULL AS grant_ended FROM mine m CROSS JOIN LATERAL (
    SELECT r.delivery_id, r.accepted_at, r.owner_id, r.mailbox_id, r.grant_id FROM receipts r
    WHERE r.grant_id = m.id AND (r.accepted_at, r.delivery_id) < ((SELECT at FROM since), (SELECT id FROM since))
    ORDER BY r.accepted_at DESC, r.delivery_id DESC LIMIT :limit) x
  WHERE CAST(:grant_id AS uuid) IS NULL OR m.id = :grant_id
  ORDER BY x.accepted_at DESC, x.delivery_id DESC LIMIT :limit)
SELECT n.delivery_id, n.accepted_at, b.address, CASE WHEN c.erased_at IS NULL THEN c.id END AS candidate_id,
  CASE WHEN c.erased_at IS NULL THEN coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) END AS person,
  w.name AS by, CASE WHEN s.kind = 'sequence' THEN s.name END AS sequence, n.grant_id, n.grant_ended
FROM newest n JOIN mailboxes b ON b.id = n.mailbox_id JOIN members w ON w.id = n.owner_id
JOIN deliveries d ON d.id = n.delivery_id JOIN sequences s ON s.id = d.sequence_id
JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id
ORDER BY n.accepted_at DESC, n.delivery_id DESC

-- name: permissions
SELECT g.id, p.name AS person, b.address, g.archived_at AS ended_at FROM ({mine}) m JOIN grants g ON g.id = m.id
JOIN mailboxes b ON b.id = g.mailbox_id LEFT JOIN members p ON p.id = g.grantee_id
ORDER BY g.archived_at IS NOT NULL, g.archived_at DESC, p.name NULLS FIRST, g.id LIMIT 100

-- name: counts
WITH mine AS ({mine}),
month AS (
  SELECT x.accepted_at FROM mine m CROSS JOIN LATERAL (
    SELECT r.accepted_at FROM receipts r WHERE r.grant_id = m.id AND r.accepted_at > clock_timestamp() - interval '30 days'
    ORDER BY r.accepted_at DESC LIMIT :most) x
  ORDER BY x.accepted_at DESC LIMIT :most)
SELECT count(*) FILTER (WHERE accepted_at >= (date_trunc('day', clock_timestamp() AT TIME ZONE :zone)) AT TIME ZONE :zone) AS today,
  count(*) AS month FROM month
