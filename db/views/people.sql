-- The people of an organization, as a list. Read only. A page asks for the ids of 50 people, newest first, and then what is known of
-- those alone; whom a member may see: domain/sight.py.

-- name: state
-- Where person ``c`` stands in enrollment ``e``, in one word.
CASE WHEN e.status = 'finished' THEN 'finished'
  WHEN e.status IN ('stopped', 'archived') THEN CASE WHEN e.reason = 'answered' THEN 'answered'
    WHEN e.reason IN ('opted_out', 'unsubscribed') THEN 'opted_out' WHEN e.reason = 'bounced' THEN 'bounced'
    WHEN EXISTS (SELECT FROM deliveries f WHERE f.enrollment_id = e.id AND f.state = 'closed' AND f.outcome = 'failed') THEN 'failed'
    ELSE 'stopped' END
  WHEN e.reason = 'opt_out_proposed'
    OR EXISTS (SELECT FROM deliveries r WHERE r.enrollment_id = e.id AND r.state = 'review') THEN 'in_review'
  WHEN e.status = 'paused' THEN 'blocked'
  WHEN c.away_until > clock_timestamp() THEN 'away' ELSE 'waiting' END

-- name: everybody
-- Read backwards from one index.
SELECT c.id FROM candidates c WHERE c.organization_id = :organization_id AND c.erased_at IS NULL AND c.id < :before
ORDER BY c.organization_id DESC, c.id DESC LIMIT :limit

-- name: of_sequences
-- The newest of each sequence, from the index of its people: the member's own, and those that write from their mailbox, of
-- which they see the people whom it has written to; then whoever wrote to that mailbox.
WITH theirs AS MATERIALIZED (
  SELECT s.id, CAST(:member_id AS uuid) IS NULL OR s.owner_id = CAST(:member_id AS uuid) AS whole
  FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id
  WHERE s.organization_id = :organization_id AND (:state = '' OR s.kind = 'sequence')
    AND (CAST(:member_id AS uuid) IS NULL OR s.owner_id = CAST(:member_id AS uuid)
      OR (:state = '' AND b.owner_id = CAST(:member_id AS uuid))))
SELECT near.id FROM (
  SELECT n.id FROM theirs t CROSS JOIN LATERAL (
    SELECT c.id FROM enrollments e JOIN candidates c ON c.id = e.candidate_id
    WHERE e.sequence_id = t.id AND e.candidate_id < :before AND c.erased_at IS NULL AND (:state = '' OR {state} = :state)
      AND (t.whole OR {in_mailbox})
    ORDER BY e.candidate_id DESC LIMIT :limit) n
  UNION
  SELECT m.candidate_id FROM mailboxes b JOIN incoming_messages m ON m.mailbox_id = b.id JOIN candidates c ON c.id = m.candidate_id
  WHERE :state = '' AND b.owner_id = CAST(:member_id AS uuid) AND c.id < :before AND c.erased_at IS NULL
) near ORDER BY near.id DESC LIMIT :limit

-- name: shown
SELECT c.id, {label} AS name, c.email, c.title, c.company, suppressed(c.organization_id, c.email) IS NOT NULL AS suppressed,
  p.sequence, coalesce(p.state, '') AS state, p.sequence_status, p.next_due_at, p.last_sent_at
FROM candidates c LEFT JOIN LATERAL (
  SELECT s.name AS sequence, s.status AS sequence_status, {state} AS state,
    (SELECT min(d.due_at) FROM deliveries d WHERE d.enrollment_id = e.id AND d.state = 'pending' AND NOT d.held) AS next_due_at,
    (SELECT max(d.sent_at) FROM deliveries d WHERE d.enrollment_id = e.id AND d.state = 'sent') AS last_sent_at
  FROM enrollments e JOIN sequences s ON s.id = e.sequence_id
  WHERE e.candidate_id = c.id AND s.kind = 'sequence' AND (:state = '' OR {state} = :state)
    AND (CAST(:member_id AS uuid) IS NULL OR s.owner_id = CAST(:member_id AS uuid))
  ORDER BY e.status IN ('active', 'paused') DESC, e.created_at DESC LIMIT 1) p ON true
WHERE c.organization_id = :organization_id AND c.id = ANY(CAST(:ids AS uuid[])) AND (:state = '' OR p.state IS NOT NULL)
ORDER BY c.id DESC

-- name: seen
SELECT c.id FROM candidates c WHERE c.organization_id = :organization_id AND c.id = ANY(CAST(:ids AS uuid[]))
  AND c.erased_at IS NULL AND {knows}
