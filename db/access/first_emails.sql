-- name: lock
SELECT g.organization_id, g.mailbox_id FROM lanes l JOIN grants g ON g.mailbox_id = l.mailbox_id
WHERE g.id = :id AND g.archived_at IS NULL FOR UPDATE

-- name: ask
UPDATE grants SET first_email = jsonb_build_object('since', clock_timestamp())
WHERE id = :id AND archived_at IS NULL AND (first_email IS NULL OR first_email->>'by' IS NOT NULL)

-- name: stop
UPDATE grants SET first_email = NULL WHERE id = :id AND archived_at IS NULL AND first_email IS NOT NULL

-- name: read
UPDATE grants SET first_email = first_email || CAST(:approval AS jsonb) WHERE id = :id

-- name: release
WITH released AS (
  UPDATE deliveries d SET held = s.status <> 'active', reason = CASE WHEN s.status <> 'active' THEN 'sequence_not_active' END
  FROM sequences s WHERE s.id = d.sequence_id AND d.mailbox_id = :mailbox_id AND d.state = 'pending' AND d.held AND d.reason = :waits
  RETURNING d.mailbox_id, d.due_at, d.held)
UPDATE lanes SET next_due_at = least(coalesce(next_due_at, r.due_at), r.due_at)
FROM (SELECT mailbox_id, min(due_at) AS due_at FROM released WHERE NOT held GROUP BY mailbox_id) r WHERE lanes.mailbox_id = r.mailbox_id

-- name: waiting
-- Every open page asks every two seconds, so it counts no further than 100.
SELECT g.id AS grant_id, g.organization_id, g.mailbox_owner_id, g.first_email->>'since' AS asked_since, b.address AS mailbox,
  f.delivery_id, f.person, f.sequence, f.since, f.emails
FROM grants g JOIN mailboxes b ON b.id = g.mailbox_id
CROSS JOIN LATERAL (SELECT o.*, count(*) OVER () AS emails FROM (
  SELECT d.id AS delivery_id, w.name AS person, s.name AS sequence, d.due_at AS since
  FROM deliveries d JOIN sequences s ON s.id = d.sequence_id JOIN members w ON w.id = s.owner_id
  WHERE d.mailbox_id = g.mailbox_id AND d.state = 'pending' AND d.held AND d.reason = :waits AND s.status = 'active'
    AND s.owner_id <> b.owner_id AND coalesce(g.grantee_id, s.owner_id) = s.owner_id
    AND (g.sequence_ids IS NULL OR s.id = ANY(g.sequence_ids))
  ORDER BY d.due_at, d.id LIMIT 100) o ORDER BY since, delivery_id LIMIT 1) f
WHERE g.archived_at IS NULL AND g.first_email IS NOT NULL AND (g.first_email->>'by') IS NULL
  AND (g.expires_at IS NULL OR g.expires_at > clock_timestamp())
  AND (CAST(:owner_id AS uuid) IS NULL OR g.mailbox_owner_id = :owner_id) AND (CAST(:grant_id AS uuid) IS NULL OR g.id = :grant_id)
ORDER BY f.since, g.id LIMIT CAST(:shown AS int)

-- name: stale
-- Mailboxes whose emails wait for nobody any more: their permission ended, and another one covers them.
SELECT DISTINCT d.mailbox_id FROM deliveries d JOIN sequences s ON s.id = d.sequence_id
WHERE d.state = 'pending' AND d.held AND d.reason = :waits AND s.status = 'active'
  AND NOT waits_for_mailbox_owner(d.mailbox_id, d.sequence_id) ORDER BY 1 LIMIT 50
