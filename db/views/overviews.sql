-- name: sequences_of
-- Select the page's sequences first, then count what is in them, so that we never read a list of all deliveries. OFFSET 0: each place is worked
-- out once.
WITH listed AS MATERIALIZED (
  SELECT * FROM (SELECT s.id, s.name, s.status, s.paused_reason, s.paused_at, s.mailbox_id, s.owner_id, {place} AS place {listed} OFFSET 0) p
  WHERE CAST(:after_id AS uuid) IS NULL OR (p.place, lower(p.name), p.id) > (:after_place, :after_name, :after_id)
  ORDER BY p.place, lower(p.name), p.id LIMIT :limit)
SELECT s.*, b.address, h.name AS sender, b.owner_id AS sender_id, w.name AS owner, n.waiting, n.held, n.sent, k.answered, n.in_doubt, n.review, k.blocked, n.failed, greatest(k.ended - n.failed, 0) AS ended, n.next_due_at
FROM listed s JOIN members w ON w.id = s.owner_id JOIN mailboxes b ON b.id = s.mailbox_id LEFT JOIN members h ON h.id = b.owner_id,
LATERAL (SELECT
    count(*) FILTER (WHERE d.state IN ('pending', 'queued', 'preparing', 'drafted', 'sending') AND e.status = 'active') AS waiting,
    count(*) FILTER (WHERE d.state = 'pending' AND e.status = 'paused' AND NOT ({block})) AS held,
    count(*) FILTER (WHERE d.state = 'sent') AS sent, count(*) FILTER (WHERE d.state = 'in_doubt') AS in_doubt,
    count(*) FILTER (WHERE {review}) AS review, count(*) FILTER (WHERE {failed}) AS failed,
    min(d.due_at) FILTER (WHERE d.state = 'pending' AND NOT d.held AND s.status = 'active') AS next_due_at
  FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id WHERE d.sequence_id = s.id) n,
LATERAL (SELECT count(*) FILTER (WHERE {block}) AS blocked,
    count(*) FILTER (WHERE e.status IN ('finished', 'stopped', 'archived')) AS ended,
    count(*) FILTER (WHERE e.status = 'stopped' AND e.reason = 'answered') AS answered
  FROM enrollments e WHERE e.sequence_id = s.id) k
ORDER BY s.place, lower(s.name), s.id

-- name: count_sequences
SELECT count(*) {listed}

-- name: listed
FROM sequences s WHERE s.organization_id = :organization_id AND (CAST(:only AS uuid) IS NOT NULL OR (s.status = 'archived') = (:status = 'archived'))
  AND (s.kind = 'sequence' OR s.id = CAST(:only AS uuid))
  AND (CAST(:owner_id AS uuid) IS NULL OR s.owner_id = :owner_id) AND (CAST(:only AS uuid) IS NULL OR s.id = :only)
  AND (CAST(:mailbox_id AS uuid) IS NULL OR s.mailbox_id = :mailbox_id)
  AND (:search = '' OR strpos(lower(s.name), lower(:search)) > 0
    OR s.owner_id IN (SELECT w.id FROM members w WHERE strpos(lower(w.name), lower(:search)) > 0)
    OR s.mailbox_id IN (SELECT b.id FROM mailboxes b WHERE strpos(lower(b.address), lower(:search)) > 0))
  AND CASE :status WHEN '' THEN true WHEN 'attention' THEN (
      EXISTS (SELECT FROM enrollments e WHERE e.sequence_id = s.id AND {block})
      OR EXISTS (SELECT FROM deliveries d WHERE d.sequence_id = s.id AND {review})
      OR EXISTS (SELECT FROM deliveries d WHERE d.sequence_id = s.id AND {failed})) ELSE CASE WHEN :status IN ('active', 'finished') THEN s.status = 'active' AND {finished} = (:status = 'finished')
    ELSE s.status = :status END END

-- name: finished
(EXISTS (SELECT FROM enrollments e WHERE e.sequence_id = s.id)
  AND NOT EXISTS (SELECT FROM enrollments e WHERE e.sequence_id = s.id AND e.status IN ('active', 'paused'))
  AND NOT EXISTS (SELECT FROM deliveries d WHERE d.sequence_id = s.id AND (d.state IN ('in_doubt', 'review') OR {failed})))

-- name: place
CASE :sort WHEN 'name' THEN 0 WHEN 'new' THEN -extract(epoch FROM s.created_at)::bigint
  WHEN 'next' THEN CASE s.status WHEN 'active' THEN coalesce((SELECT extract(epoch FROM min(d.due_at))::bigint FROM deliveries d
    WHERE d.sequence_id = s.id AND d.state = 'pending' AND NOT d.held), 99999999998) ELSE 99999999999 END
  WHEN 'answered' THEN -(SELECT count(*) FROM enrollments e WHERE e.sequence_id = s.id AND e.status = 'stopped' AND e.reason = 'answered')
  ELSE CASE s.status WHEN 'paused' THEN 0 WHEN 'active' THEN 1 ELSE 2 END END

-- name: senders
SELECT b.id, coalesce(h.name, b.address) AS name FROM mailboxes b LEFT JOIN members h ON h.id = b.owner_id
WHERE b.organization_id = :id AND EXISTS (SELECT FROM sequences s WHERE s.mailbox_id = b.id AND s.kind = 'sequence'
  AND s.status <> 'archived' AND (CAST(:owner_id AS uuid) IS NULL OR s.owner_id = :owner_id))
ORDER BY lower(coalesce(h.name, b.address)), b.id LIMIT 200

-- name: mailboxes
SELECT b.id, b.address, m.name AS owner, b.status, b.status_reason, b.checked_at FROM mailboxes b
LEFT JOIN members m ON m.id = b.owner_id WHERE b.organization_id = :id
  AND strpos(lower(concat_ws(' ', b.address, m.name)), lower(:search)) > 0
ORDER BY b.status <> 'disconnected' OR b.status_reason IN ('removed', 'disabled'), b.address LIMIT :limit

-- name: grants
SELECT g.id, b.address, h.name AS mailbox_owner, p.name AS person, g.given_at, g.expires_at, g.daily_limit,
  (SELECT array_agg(s.name ORDER BY s.name) FROM sequences s WHERE s.id = ANY(g.sequence_ids)) AS names,
  l.zone, {by_hand_of} AS by_hand_of, g.confirmed_at
FROM grants g JOIN mailboxes b ON b.id = g.mailbox_id JOIN members h ON h.id = g.mailbox_owner_id
JOIN lanes l ON l.mailbox_id = b.id LEFT JOIN members p ON p.id = g.grantee_id
WHERE g.organization_id = :id AND g.archived_at IS NULL AND (CAST(:only AS uuid) IS NULL OR g.id = :only)
  AND strpos(lower(concat_ws(' ', b.address, h.name, coalesce(p.name, 'everyone'))), lower(:search)) > 0
ORDER BY b.address, p.name NULLS FIRST LIMIT :limit
