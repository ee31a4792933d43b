-- Hand-overs: whose a sequence is, who is in the middle of it, and what closes its gate.

-- name: ownership
SELECT s.id, s.organization_id, s.name, s.status, s.version, s.owner_id, w.name AS owner, w.active AS owner_active, s.mailbox_id,
  s.uses_sender_address, b.address, coalesce(h.name, '') AS sender,
  (SELECT count(*) FROM enrollments e WHERE e.sequence_id = s.id AND e.status IN ('active', 'paused')) AS waiting
FROM sequences s JOIN members w ON w.id = s.owner_id JOIN mailboxes b ON b.id = s.mailbox_id LEFT JOIN members h ON h.id = b.owner_id

-- name: of_sequence
{ownership} WHERE s.id = :id AND s.kind = 'sequence'

-- name: of_member
{ownership} WHERE s.owner_id = :id AND s.organization_id = :organization_id AND s.kind = 'sequence' AND s.status <> 'archived'
ORDER BY lower(s.name), s.id LIMIT :limit

-- name: of_mailbox
{ownership} WHERE s.owner_id = :id AND s.mailbox_id = :mailbox AND s.organization_id = :organization_id AND s.kind = 'sequence'
  AND s.status <> 'archived'
ORDER BY s.status <> 'paused', lower(s.name), s.id LIMIT :limit

-- name: member
SELECT id, name, email FROM members WHERE id = :id AND organization_id = :organization_id AND active

-- name: colleagues
SELECT id, name, email FROM members WHERE organization_id = :organization_id AND active AND id <> :besides
ORDER BY lower(name), id LIMIT :limit

-- name: lanes
-- ``:also`` comes from a form, so it may be anybody's.
SELECT l.mailbox_id FROM lanes l WHERE l.organization_id IN (SELECT organization_id FROM sequences WHERE id = ANY(:ids))
AND l.mailbox_id IN (SELECT mailbox_id FROM sequences WHERE id = ANY(:ids)
  UNION SELECT CAST(:also AS uuid)
  UNION SELECT mailbox_id FROM deliveries WHERE sequence_id = ANY(:ids) AND state NOT IN ('sent', 'closed'))
ORDER BY l.mailbox_id

-- name: bring_along
WITH brought AS (
  UPDATE deliveries d SET mailbox_id = s.mailbox_id, draft_id = NULL FROM sequences s
  WHERE s.id = :id AND {stray} AND d.send_started_at IS NULL RETURNING d.mailbox_id, d.held, d.due_at)
UPDATE lanes l SET next_due_at = least(coalesce(l.next_due_at, b.due_at), b.due_at)
FROM (SELECT mailbox_id, min(due_at) AS due_at FROM brought WHERE NOT held GROUP BY mailbox_id) b
WHERE l.mailbox_id = b.mailbox_id

-- name: left_behind
SELECT d.id FROM deliveries d JOIN sequences s ON {stray} WHERE s.id = :id AND d.send_started_at IS NOT NULL ORDER BY d.id

-- name: stray
d.sequence_id = s.id AND s.handed_over IS NOT NULL AND d.mailbox_id <> s.mailbox_id AND d.state = 'pending'

-- name: pause
UPDATE sequences SET status = 'paused', paused_cause = :cause, paused_reason = :reason,
  paused_at = coalesce(paused_at, clock_timestamp()) WHERE id = :id AND status IN ('active', 'paused')

-- name: last
-- The mailbox of the last email that left, or may have left.
SELECT v.mailbox_id FROM deliveries v WHERE v.enrollment_id = e.id AND v.state <> 'closed'
  AND coalesce(v.sent_at, v.send_started_at) IS NOT NULL ORDER BY coalesce(v.sent_at, v.send_started_at) DESC LIMIT 1

-- name: means
SELECT count(*) FILTER (WHERE v.mailbox_id IS NULL) AS fresh, count(*) FILTER (WHERE v.mailbox_id <> :mailbox) AS middle,
  count(*) FILTER (WHERE v.mailbox_id = :mailbox) AS same,
  coalesce(array_agg(DISTINCT y.name) FILTER (WHERE v.mailbox_id <> :mailbox
    AND y.id <> (SELECT coalesce(owner_id, :owner) FROM mailboxes WHERE id = :mailbox)), '{}') AS writers,
  count(*) FILTER (WHERE e.status = 'paused' OR c.away_until > clock_timestamp() OR c.unclear_until > clock_timestamp()) AS held,
  (SELECT count(*) FROM deliveries d WHERE d.sequence_id = :id AND d.state IN ('sending', 'in_doubt')) AS on_the_way
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id JOIN candidates c ON c.id = e.candidate_id
LEFT JOIN LATERAL ({last}) v ON true LEFT JOIN mailboxes b ON b.id = v.mailbox_id
LEFT JOIN members y ON y.id = coalesce(b.owner_id, s.owner_id)
WHERE e.sequence_id = :id AND e.status IN ('active', 'paused')

-- name: names
SELECT coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS name
FROM enrollments e JOIN candidates c ON c.id = e.candidate_id LEFT JOIN LATERAL ({last}) v ON true
WHERE e.sequence_id = :id AND e.status IN ('active', 'paused') AND v.mailbox_id <> :mailbox
ORDER BY 1 LIMIT :limit

-- name: hold_middle
WITH held AS (
  UPDATE enrollments e SET status = 'paused', reason = 'handed_over', paused_at = clock_timestamp()
  WHERE e.sequence_id = :id AND e.status = 'active' AND ({last}) <> :mailbox
  RETURNING e.id)
UPDATE deliveries SET held = true, reason = 'enrollment_paused'
WHERE enrollment_id IN (SELECT id FROM held) AND state = 'pending'
