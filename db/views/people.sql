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
    OR EXISTS (SELECT FROM deliveries r WHERE r.enrollment_id = e.id AND r.state IN ('review', 'in_doubt')) THEN 'in_review'
  WHEN e.status = 'paused' THEN CASE WHEN {block} THEN 'blocked' ELSE 'paused' END
  WHEN EXISTS (SELECT FROM deliveries d WHERE d.enrollment_id = e.id AND {approval}) THEN 'approval'
  WHEN EXISTS (SELECT FROM deliveries d WHERE d.enrollment_id = e.id AND d.state = 'pending' AND d.held AND d.reason = 'waits_for_task') THEN 'task'
  WHEN c.away_until > clock_timestamp() THEN 'away' ELSE 'waiting' END

-- name: everybody
-- Read backwards from one index.
SELECT c.id FROM candidates c WHERE c.organization_id = :organization_id AND c.erased_at IS NULL AND c.id < :before
ORDER BY c.organization_id DESC, c.id DESC LIMIT :limit

-- name: in_none
-- Whom no sequence goes on for.
SELECT c.id FROM candidates c WHERE c.organization_id = :organization_id AND c.erased_at IS NULL AND c.id < :before
  AND (CAST(:member_id AS uuid) IS NULL OR {knows})
  AND {in_no_sequence}
ORDER BY c.organization_id DESC, c.id DESC LIMIT :limit

-- name: theirs
-- The member's own sequences, and those that write from their mailbox; NULL: everybody's.
SELECT s.id, CAST(:member_id AS uuid) IS NULL OR s.owner_id = CAST(:member_id AS uuid) AS whole
FROM sequences s
WHERE s.organization_id = :organization_id AND (:state = '' OR s.kind = 'sequence')
  AND (CAST(:sequence_id AS uuid) IS NULL OR s.id = CAST(:sequence_id AS uuid))
  AND (CAST(:member_id AS uuid) IS NULL OR s.id IN (
    SELECT o.id FROM sequences o WHERE o.owner_id = CAST(:member_id AS uuid)
    UNION ALL SELECT l.id FROM mailboxes b JOIN sequences l ON l.mailbox_id = b.id WHERE :state = '' AND b.owner_id = CAST(:member_id AS uuid)))

-- name: listed
e.reason IS DISTINCT FROM 'address_corrected' AND c.erased_at IS NULL AND (:state = '' OR {state} = :state) AND (t.whole OR {in_mailbox})

-- name: wrote
-- Whoever wrote to the member's mailbox.
SELECT m.candidate_id FROM mailboxes b JOIN incoming_messages m ON m.mailbox_id = b.id JOIN candidates c ON c.id = m.candidate_id
WHERE :state = '' AND CAST(:sequence_id AS uuid) IS NULL AND b.owner_id = CAST(:member_id AS uuid) AND c.erased_at IS NULL

-- name: brought
:state = '' AND CAST(:sequence_id AS uuid) IS NULL AND i.member_id = CAST(:member_id AS uuid) AND c.erased_at IS NULL

-- name: of_sequences
-- The newest of each sequence, from the index of its people; of a sequence that writes from the member's mailbox, those whom it
-- has written to.
WITH theirs AS MATERIALIZED ({theirs})
SELECT near.id FROM (
  SELECT n.id FROM theirs t CROSS JOIN LATERAL (
    SELECT c.id FROM enrollments e JOIN candidates c ON c.id = e.candidate_id
    WHERE e.sequence_id = t.id AND e.candidate_id < :before AND {listed}
    ORDER BY e.candidate_id DESC LIMIT :limit) n
  UNION
  SELECT w.candidate_id FROM mailboxes b CROSS JOIN LATERAL (
    SELECT DISTINCT m.candidate_id FROM incoming_messages m WHERE m.mailbox_id = b.id AND m.candidate_id < :before
      AND EXISTS (SELECT FROM candidates c WHERE c.id = m.candidate_id AND c.erased_at IS NULL OFFSET 0)
    ORDER BY m.candidate_id DESC LIMIT :limit) w
  WHERE :state = '' AND CAST(:sequence_id AS uuid) IS NULL AND b.owner_id = CAST(:member_id AS uuid)
  UNION (
    SELECT i.candidate_id FROM brought_in i JOIN candidates c ON c.id = i.candidate_id WHERE {brought} AND i.candidate_id < :before
    ORDER BY i.candidate_id DESC LIMIT :limit)
) near ORDER BY near.id DESC LIMIT :limit

-- name: in_no_sequence
NOT EXISTS (SELECT FROM enrollments e JOIN sequences s ON s.id = e.sequence_id
  WHERE e.candidate_id = c.id AND e.status IN ('active', 'paused') AND s.kind = 'sequence' AND s.status <> 'archived')

-- name: everybody_named
-- Along the index of names; whoever has none comes first, by address.
SELECT c.id FROM candidates c WHERE c.organization_id = :organization_id AND c.erased_at IS NULL AND (c.whole_name, c.email) {beyond} (:name, :email)
  AND (:state = '' OR EXISTS (SELECT FROM enrollments e JOIN sequences s ON s.id = e.sequence_id
    WHERE e.candidate_id = c.id AND s.kind = 'sequence' AND e.reason IS DISTINCT FROM 'address_corrected' AND {state} = :state))
  AND (NOT CAST(:in_none AS boolean) OR {in_no_sequence})

-- name: theirs_named
-- A member's people, or those of one sequence: gathered, and then sorted.
WITH theirs AS MATERIALIZED ({theirs}),
near AS (SELECT e.candidate_id FROM theirs t JOIN enrollments e ON e.sequence_id = t.id JOIN candidates c ON c.id = e.candidate_id WHERE {listed}
  UNION {wrote}
  UNION SELECT i.candidate_id FROM brought_in i JOIN candidates c ON c.id = i.candidate_id WHERE {brought})
SELECT c.id FROM near JOIN candidates c ON c.id = near.candidate_id WHERE (c.whole_name, c.email) {beyond} (:name, :email)
  AND (NOT CAST(:in_none AS boolean) OR {in_no_sequence})

-- name: everybody_up
{everybody_named} ORDER BY c.organization_id, c.whole_name, c.email LIMIT :limit

-- name: everybody_down
{everybody_named} ORDER BY c.organization_id DESC, c.whole_name DESC, c.email DESC LIMIT :limit

-- name: theirs_up
{theirs_named} ORDER BY c.whole_name, c.email LIMIT :limit

-- name: theirs_down
{theirs_named} ORDER BY c.whole_name DESC, c.email DESC LIMIT :limit

-- name: place
SELECT c.whole_name AS name, c.email FROM candidates c WHERE c.organization_id = :organization_id AND c.id = :id

-- name: shown
SELECT c.id, {label} AS name, c.email, c.title, c.company, suppressed(c.organization_id, c.email) IS NOT NULL AS suppressed,
  p.sequence, coalesce(p.state, '') AS state, p.sequence_status, p.next_due_at, p.last_sent_at,
  c.created_at
FROM candidates c LEFT JOIN LATERAL (
  SELECT s.name AS sequence, s.status AS sequence_status, {state} AS state,
    (SELECT min(d.due_at) FROM deliveries d WHERE d.enrollment_id = e.id AND d.state = 'pending' AND NOT d.held) AS next_due_at,
    (SELECT max(d.sent_at) FROM deliveries d WHERE d.enrollment_id = e.id AND d.state = 'sent') AS last_sent_at
  FROM enrollments e JOIN sequences s ON s.id = e.sequence_id
  WHERE e.candidate_id = c.id AND s.kind = 'sequence' AND e.reason IS DISTINCT FROM 'address_corrected' AND (:state = '' OR {state} = :state)
    AND (CAST(:member_id AS uuid) IS NULL OR s.owner_id = CAST(:member_id AS uuid))
    AND (CAST(:sequence_id AS uuid) IS NULL OR s.id = CAST(:sequence_id AS uuid))
  ORDER BY e.status IN ('active', 'paused') DESC, e.created_at DESC LIMIT 1) p ON true
WHERE c.organization_id = :organization_id AND c.id = ANY(CAST(:ids AS uuid[])) AND (:state = '' AND CAST(:sequence_id AS uuid) IS NULL OR p.state IS NOT NULL)
ORDER BY array_position(CAST(:ids AS uuid[]), c.id)

-- name: sequences
-- To filter by: those that run, and of them the newest.
SELECT s.id, s.name FROM sequences s WHERE s.organization_id = :organization_id AND s.kind = 'sequence'
  AND (CAST(:member_id AS uuid) IS NULL OR s.owner_id = CAST(:member_id AS uuid))
ORDER BY s.status = 'archived', s.created_at DESC, s.id LIMIT 200

-- name: seen
SELECT c.id FROM candidates c WHERE c.organization_id = :organization_id AND c.id = ANY(CAST(:ids AS uuid[]))
  AND c.erased_at IS NULL AND {knows}

-- name: whole
SELECT c.email FROM candidates c WHERE c.organization_id = :organization_id AND c.email = ANY(CAST(:emails AS text[])) AND {sees}
