-- What pages show of conversations: emails of ours and what came in. Read only.

-- name: sees
-- Does ``:member_id`` see everything of person ``c``? As domain/sight.py decides for one. NULL: who manages the organization.
(CAST(:member_id AS uuid) IS NULL OR {enrolled} OR {theirs_alone})

-- name: enrolled
-- OFFSET 0, here and below: asked of each person by an index. Postgres would rather read all people of all sequences first.
EXISTS (SELECT FROM enrollments x JOIN sequences y ON y.id = x.sequence_id
  WHERE x.candidate_id = c.id AND y.owner_id = CAST(:member_id AS uuid) OFFSET 0)

-- name: brought_in
EXISTS (SELECT FROM brought_in i WHERE i.member_id = CAST(:member_id AS uuid) AND i.candidate_id = c.id OFFSET 0)

-- name: theirs_alone
-- Whom ``:member_id`` brought in, while nobody has written to them or heard from them.
({brought_in} AND NOT EXISTS (SELECT FROM enrollments x WHERE x.candidate_id = c.id OFFSET 0)
  AND NOT EXISTS (SELECT FROM incoming_messages m WHERE m.candidate_id = c.id OFFSET 0))

-- name: in_mailbox
EXISTS (SELECT FROM mailboxes b WHERE b.owner_id = CAST(:member_id AS uuid) AND (
  EXISTS (SELECT FROM incoming_messages m WHERE m.candidate_id = c.id AND m.mailbox_id = b.id OFFSET 0)
  OR EXISTS (SELECT FROM enrollments e JOIN deliveries d ON d.enrollment_id = e.id
    WHERE e.candidate_id = c.id AND d.mailbox_id = b.id AND d.state IN ('sending', 'sent', 'in_doubt', 'review') OFFSET 0)))

-- name: knows
-- Does ``:member_id`` see anything of person ``c``?
({sees} OR {in_mailbox} OR {brought_in})

-- name: label
coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email)

-- name: person
SELECT c.id, {label} AS name, c.email, c.title, c.company, suppressed(c.organization_id, c.email) AS suppressed,
  CASE WHEN c.away_until > clock_timestamp() THEN c.away_until END AS away_until,
  CASE WHEN c.unclear_until > clock_timestamp() THEN c.unclear_until END AS unclear_until,
  CAST(:member_id AS uuid) IS NULL AS manages, {enrolled} AS enrolled, {theirs_alone} AS theirs_alone,
  ({in_mailbox} OR {brought_in}) AS known
FROM candidates c WHERE c.id = :id AND c.organization_id = :organization_id AND c.erased_at IS NULL

-- name: places
-- The sequences that a person is in, running ones first.
SELECT e.id AS enrollment_id, s.id AS sequence_id, s.name, e.status, e.reason, w.name AS owner,
  (SELECT min(d.due_at) FROM deliveries d WHERE d.enrollment_id = e.id AND d.state = 'pending' AND NOT d.held) AS next_due_at
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id JOIN members w ON w.id = s.owner_id
WHERE e.candidate_id = :id AND s.kind = 'sequence' AND e.reason IS DISTINCT FROM 'address_corrected' AND (CAST(:only_of AS uuid) IS NULL OR s.owner_id = CAST(:only_of AS uuid))
ORDER BY e.status IN ('active', 'paused') DESC, e.created_at DESC LIMIT 20

-- name: places_by_hand
-- The same, with emails written by hand that have not left.
SELECT e.id AS enrollment_id, s.id AS sequence_id, CASE s.kind WHEN 'by_hand' THEN 'Written by hand' ELSE s.name END AS name, e.status, e.reason,
  w.name AS owner,
  (SELECT min(d.due_at) FROM deliveries d WHERE d.enrollment_id = e.id AND d.state = 'pending' AND NOT d.held) AS next_due_at
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id JOIN members w ON w.id = s.owner_id
WHERE e.candidate_id = :id AND (s.kind = 'sequence' OR e.status IN ('active', 'paused')) AND e.reason IS DISTINCT FROM 'address_corrected'
  AND (CAST(:only_of AS uuid) IS NULL OR s.owner_id = CAST(:only_of AS uuid))
ORDER BY e.status IN ('active', 'paused') DESC, e.created_at DESC LIMIT 20

-- name: written
-- Emails of ours that left or may have left, what failed, and all that was written by hand; the newest ones, each with the
-- text that its step had then.
SELECT d.id, d.state, d.outcome, d.reason, d.held, d.due_at, d.enrollment_id, s.id AS sequence_id, s.name AS sequence,
  s.status AS sequence_status, s.kind, coalesce(d.sent_at, d.send_started_at, d.created_at) AS at, b.address AS sender,
  w.name AS owner, coalesce(h.name, w.name) AS sender_name, t.id AS step_id, t.position, t.version,
  coalesce(d.own_subject, CASE WHEN t.former ? v.version THEN t.former->v.version->>'subject' ELSE t.subject END) AS subject,
  coalesce(d.own_body, CASE WHEN t.former ? v.version THEN t.former->v.version->>'body' ELSE t.body END) AS body,
  (SELECT x.subject FROM steps x WHERE x.sequence_id = t.sequence_id AND x.position < t.position AND x.subject IS NOT NULL
    AND x.retired_at IS NULL ORDER BY x.position DESC LIMIT 1) AS thread_subject, false AS sender_changed,
  coalesce(d.sent_to, c.email) AS email, c.first_name, c.last_name, c.company, c.title, c.location, c.fields, s.fields AS extra_fields,
  -- What left has the signature of then, and none if it left without one.
  CASE WHEN g.version IS NULL OR g.version = b.signature_version THEN b.signature ELSE coalesce(b.former_signatures->>g.version::text, '') END AS signature,
  coalesce(g.version, b.signature_version) AS signature_version, coalesce(g.version > 0, s.with_signature) AS with_signature
FROM enrollments e JOIN deliveries d ON d.enrollment_id = e.id JOIN sequences s ON s.id = e.sequence_id
JOIN steps t ON t.id = d.step_id JOIN mailboxes b ON b.id = d.mailbox_id LEFT JOIN members h ON h.id = b.owner_id
JOIN members w ON w.id = s.owner_id JOIN candidates c ON c.id = e.candidate_id
CROSS JOIN LATERAL (SELECT coalesce(d.authority->>'step_version', t.version::text) AS version) v
CROSS JOIN LATERAL (SELECT CASE WHEN d.authority IS NOT NULL
  THEN coalesce((d.authority->>'signature_version')::int, 0) END AS version) g
WHERE e.candidate_id = :id AND (d.state IN ('sending', 'sent', 'in_doubt', 'review') OR s.kind = 'by_hand'
    OR (d.state = 'closed' AND d.outcome = 'failed'))
  AND (CAST(:only_in AS uuid) IS NULL OR b.owner_id = CAST(:only_in AS uuid))
ORDER BY at DESC LIMIT CAST(:limit AS int)

-- name: columns
m.id, m.organization_id, m.kind, m.matched_by, m.why, m.candidate_id, m.subject, m.sender, m.sender_name, m.recipients,
m.received_at, m.recorded_at, m.text, m.html, m.attachments, m.bounce_class, m.bounce_status, m.return_on, m.opt_out_words, m.answer_class,
m.handled_at, m.handled_by, m.overruled_at, b.address AS mailbox, h.name AS mailbox_owner, s.name AS sequence, s.kind AS sequence_kind,
t.position AS step, e.status AS enrollment_status, e.reason AS enrollment_reason, coalesce(d.own_body, t.body) AS quoted_body, {label} AS person,
c.title AS person_title, c.company AS person_company

-- name: incoming
FROM incoming_messages m JOIN candidates c ON c.id = m.candidate_id
LEFT JOIN mailboxes b ON b.id = m.mailbox_id LEFT JOIN members h ON h.id = b.owner_id
LEFT JOIN enrollments e ON e.id = m.enrollment_id LEFT JOIN sequences s ON s.id = e.sequence_id
LEFT JOIN deliveries d ON d.id = m.delivery_id LEFT JOIN steps t ON t.id = d.step_id

-- name: received
SELECT {columns} {incoming}
WHERE m.candidate_id = :id AND m.status = 'matched'
  AND (CAST(:only_in AS uuid) IS NULL OR b.owner_id = CAST(:only_in AS uuid))
ORDER BY m.received_at DESC, m.id DESC LIMIT CAST(:limit AS int)

-- name: waits
-- Of what came in: what waits for a person to say what it is.
m.status = 'matched' AND m.handled_at IS NULL AND m.overruled_at IS NULL
AND (m.kind IN ('answer', 'unclear') OR (m.kind = 'opt_out' AND m.opt_out_words IS NOT NULL))

-- name: wanted
{incoming} WHERE m.organization_id = :organization_id AND ({sees} OR b.owner_id = CAST(:member_id AS uuid))
  AND CASE :which WHEN 'waiting' THEN {waits} WHEN 'unclear' THEN {waits} AND m.kind <> 'answer'
    ELSE m.status = 'matched' AND m.handled_at IS NOT NULL END
  AND (:search = '' OR strpos(lower(concat_ws(' ', c.first_name, c.last_name, c.email, m.sender, m.subject, c.company)), lower(:search)) > 0)

-- name: page
SELECT {columns} {wanted}
  AND (CAST(:before AS uuid) IS NULL OR (m.received_at, m.id) < (SELECT p.received_at, p.id FROM incoming_messages p WHERE p.id = :before))
ORDER BY m.received_at DESC, m.id DESC LIMIT CAST(:limit AS int)

-- name: count
SELECT count(*) FILTER (WHERE m.kind = 'answer') AS answers, count(*) FILTER (WHERE m.kind <> 'answer') AS unclear {wanted}

-- name: one
SELECT {columns} {incoming} WHERE m.id = :id AND m.organization_id = :organization_id AND m.status = 'matched'
  AND ({sees} OR b.owner_id = CAST(:member_id AS uuid))
