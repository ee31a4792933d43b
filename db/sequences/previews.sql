-- What an email would say now to somebody, before it leaves (db/sending/claims.sql has what it says when it leaves).

-- name: as_person
SELECT {step}, coalesce((SELECT CASE WHEN y.former ? (v.authority->>'step_version') THEN y.former->(v.authority->>'step_version')->>'subject'
      ELSE y.subject END AS said FROM deliveries v JOIN steps y ON y.id = v.step_id
    WHERE v.enrollment_id = e.id AND v.state = 'sent' AND y.subject IS NOT NULL ORDER BY v.sent_at DESC LIMIT 1), {before}) AS thread_subject,
  coalesce((SELECT v.mailbox_id <> s.mailbox_id FROM deliveries v WHERE v.enrollment_id = e.id AND v.state = 'sent'
    ORDER BY v.sent_at DESC LIMIT 1), false) AS sender_changed,
  c.email, c.first_name, c.last_name, c.company, c.title, c.location, c.fields
{joined} JOIN enrollments e ON e.sequence_id = s.id AND e.id = :enrollment JOIN candidates c ON c.id = e.candidate_id
{these}

-- name: as_candidate
-- Somebody who is not in the sequence.
SELECT {step}, {before} AS thread_subject, false AS sender_changed,
  c.email, c.first_name, c.last_name, c.company, c.title, c.location, c.fields
{joined} JOIN candidates c ON c.id = :candidate AND c.organization_id = s.organization_id AND c.erased_at IS NULL {these}

-- name: as_member
SELECT {step}, {before} AS thread_subject, false AS sender_changed, m.email, split_part(m.name, ' ', 1) AS first_name,
  trim(substr(m.name, length(split_part(m.name, ' ', 1)) + 1)) AS last_name, o.name AS company, '' AS title, '' AS location,
  '{}'::jsonb AS fields
{joined} JOIN members m ON m.id = :member {these}

-- name: step
coalesce(t.id, s.id) AS step_id, coalesce(t.position, CAST(:position AS int)) AS position, coalesce(t.version, 0) AS version, t.subject,
  coalesce(t.body, '') AS body, s.fields AS extra_fields, coalesce(h.name, w.name) AS sender_name,
  b.address AS sender, b.signature, b.signature_version, s.with_signature, coalesce(s.opt_out_line, o.opt_out_line) AS opt_out_line, s.handed_over

-- name: before
(SELECT x.subject FROM steps x WHERE x.sequence_id = s.id AND x.position < coalesce(t.position, CAST(:position AS int)) AND x.subject IS NOT NULL
  AND x.retired_at IS NULL ORDER BY x.position DESC LIMIT 1)

-- name: joined
FROM sequences s LEFT JOIN steps t ON t.sequence_id = s.id AND t.id = CAST(:step AS uuid) JOIN mailboxes b ON b.id = s.mailbox_id JOIN members w ON w.id = s.owner_id
JOIN organizations o ON o.id = s.organization_id LEFT JOIN members h ON h.id = b.owner_id

-- name: these
-- Without a step: of one that is being written.
WHERE s.id = :sequence AND (CAST(:step AS uuid) IS NULL OR t.id IS NOT NULL)

-- name: around
SELECT (SELECT e.id FROM enrollments e WHERE e.sequence_id = :sequence AND e.id < :enrollment
    AND e.reason IS DISTINCT FROM 'address_corrected' ORDER BY e.id DESC LIMIT 1) AS before,
  (SELECT e.id FROM enrollments e WHERE e.sequence_id = :sequence AND e.id > :enrollment
    AND e.reason IS DISTINCT FROM 'address_corrected' ORDER BY e.id LIMIT 1) AS after

-- name: enrollment_of
SELECT id FROM enrollments WHERE sequence_id = :sequence AND candidate_id = :candidate ORDER BY run DESC LIMIT 1

-- name: way
SELECT t.id AS step_id, t.position, t.kind, t.whole_delay AS delay, d.id AS delivery_id, d.state, d.outcome, d.held, d.reason, d.due_at, d.sent_at
FROM steps t LEFT JOIN deliveries d ON d.step_id = t.id AND d.enrollment_id = CAST(:enrollment AS uuid)
WHERE t.sequence_id = :sequence AND t.retired_at IS NULL ORDER BY t.position

-- name: standing
SELECT e.id, coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS name, e.candidate_id, e.status, e.reason,
  suppressed(e.organization_id, c.email) AS suppressed,
  CASE WHEN c.away_until > clock_timestamp() THEN c.away_until END AS away_until,
  CASE WHEN c.unclear_until > clock_timestamp() THEN c.unclear_until END AS unclear_until
FROM enrollments e JOIN candidates c ON c.id = e.candidate_id WHERE e.sequence_id = :sequence AND e.id = :enrollment
