-- What sequences did in a period. Read only.

-- name: sees
-- Does ``:member_id`` see email ``d`` of sequence ``s`` from mailbox ``b``? As domain/sight.py decides for a person: everything of
-- those in their own sequences, and what their own mailbox sent. NULL: who manages the organization.
(CAST(:member_id AS uuid) IS NULL OR CAST(:member_id AS uuid) IN (s.owner_id, b.owner_id))

-- name: results
-- What came in of the organization's people, and the email that it counts at: the one that it answers or, where it does not say,
-- the last one before it.
SELECT coalesce(m.delivery_id, l.id) AS delivery_id, m.what, m.interested
FROM (
  SELECT delivery_id, candidate_id, enrollment_id, recorded_at AS at, kind AS what, answer_class = 'interested' AS interested
  FROM incoming_messages
  WHERE organization_id = :organization_id AND status = 'matched' AND overruled_at IS NULL AND recorded_at >= :since
    AND (kind = 'answer' OR kind = 'bounce' AND bounce_class = 'hard'
      OR kind = 'opt_out' AND (opt_out_words IS NULL OR handled_at IS NOT NULL))
  UNION ALL
  -- By a link, or in a call: no email came in.
  SELECT NULL, candidate_id, NULL, created_at, 'opt_out', false
  FROM suppressions u
  WHERE organization_id = :organization_id AND reason = 'opt_out' AND lifted_at IS NULL AND candidate_id IS NOT NULL
    AND created_at >= :since AND NOT EXISTS (SELECT FROM incoming_messages WHERE candidate_id = u.candidate_id
      AND kind = 'opt_out' AND delivery_id IS NOT NULL AND overruled_at IS NULL)
) m
LEFT JOIN LATERAL (SELECT d.id FROM enrollments e JOIN deliveries d ON d.enrollment_id = e.id
  WHERE m.delivery_id IS NULL AND e.candidate_id = m.candidate_id AND (m.enrollment_id IS NULL OR e.id = m.enrollment_id)
    AND d.state = 'sent' AND d.sent_at <= m.at ORDER BY d.sent_at DESC LIMIT 1) l ON true
WHERE coalesce(m.delivery_id, l.id) IS NOT NULL

-- name: emails
-- Each email once for the organization, and once for each member who sees it. An answer to an email in doubt counts once somebody has
-- settled that it left.
SELECT d.id, viewer_id, d.sequence_id, d.mailbox_id, position, candidate_id,
  CAST(date_trunc('week', coalesce(sent_at, send_started_at, due_at) AT TIME ZONE :zone) AS date) AS week,
  state = 'sent' AS sent, state IN ('in_doubt', 'review') AS in_doubt, state = 'pending' AS held
FROM deliveries d JOIN sequences s ON s.id = d.sequence_id JOIN enrollments e ON e.id = d.enrollment_id
JOIN steps t ON t.id = d.step_id JOIN mailboxes b ON b.id = d.mailbox_id,
LATERAL (VALUES (d.organization_id, true), (s.owner_id, true), (b.owner_id, b.owner_id <> s.owner_id)) v (viewer_id, sees)
WHERE d.organization_id = :organization_id AND s.kind = 'sequence' AND sees AND viewer_id = coalesce(CAST(:viewer_id AS uuid), viewer_id)
  AND d.sequence_id = coalesce(CAST(:sequence_id AS uuid), d.sequence_id)
  AND (state = 'sent' AND sent_at >= :since AND sent_at < :until
    OR state IN ('in_doubt', 'review') AND coalesce(send_started_at, due_at) >= :since AND coalesce(send_started_at, due_at) < :until
    OR state = 'pending' AND held AND d.reason IS DISTINCT FROM 'waits_for_task' AND due_at >= :since AND due_at < :until)

-- name: histogram
-- Emails by week, and people by the week of their last email (that somebody answered, that bounced ...). So the sum from any week on
-- has each person once, and one count answers for every period. Of the kind 'week' each week has its people.
WITH mail AS MATERIALIZED ({emails}),
known AS (SELECT *, sent AND id = ANY(CAST(:answered AS uuid[])) AS answered, sent AND id = ANY(CAST(:interested AS uuid[])) AS interested,
    sent AND id = ANY(CAST(:bounced AS uuid[])) AS bounced, sent AND id = ANY(CAST(:opted_out AS uuid[])) AS opted_out FROM mail),
cells AS (SELECT viewer_id, kind, key, candidate_id, week, count(*) FILTER (WHERE sent) AS sent, bool_or(answered) AS answered,
    bool_or(interested) AS interested, bool_or(bounced) AS bounced, bool_or(opted_out) AS opted_out,
    count(*) FILTER (WHERE in_doubt) AS in_doubt, count(*) FILTER (WHERE held) AS held
  FROM known, LATERAL (VALUES ('total', ''), ('week', week::text), ('step', position::text), ('sender', mailbox_id::text),
    ('sequence', sequence_id::text)) v (kind, key)
  WHERE kind = ANY(:kinds) GROUP BY 1, 2, 3, 4, 5),
lasts AS (SELECT *, max(week) FILTER (WHERE sent > 0) OVER person AS last_sent, max(week) FILTER (WHERE answered) OVER person AS last_answered,
    max(week) FILTER (WHERE interested) OVER person AS last_interested, max(week) FILTER (WHERE bounced) OVER person AS last_bounced,
    max(week) FILTER (WHERE opted_out) OVER person AS last_opted_out
  FROM cells WINDOW person AS (PARTITION BY viewer_id, kind, key, candidate_id))
SELECT viewer_id, kind, key, week, sum(sent)::int AS sent, count(*) FILTER (WHERE sent > 0 AND week = last_sent)::int AS people,
  count(*) FILTER (WHERE answered AND week = last_answered)::int AS answered,
  count(*) FILTER (WHERE interested AND week = last_interested)::int AS interested,
  count(*) FILTER (WHERE bounced AND week = last_bounced)::int AS bounced,
  count(*) FILTER (WHERE opted_out AND week = last_opted_out)::int AS opted_out, sum(in_doubt)::int AS in_doubt, sum(held)::int AS held
FROM lasts GROUP BY 1, 2, 3, 4

-- name: live
WITH h AS ({histogram}), {shown}

-- name: kept
WITH h AS NOT MATERIALIZED (SELECT * FROM counted_numbers WHERE viewer_id = :viewer_id AND kind = ANY(:kinds) AND week >= :monday), {shown}

-- name: shown
-- The total, each week, and a page of the rows. ``number``: of the rows of its kind, the largest first.
n AS (SELECT kind, week, key, 0 AS number, sent, people, answered, interested, bounced, opted_out, in_doubt, held FROM h WHERE kind = 'week'
  UNION ALL
  SELECT CASE kind WHEN 'total' THEN kind ELSE 'row' END, NULL, key,
    row_number() OVER (PARTITION BY kind ORDER BY CASE kind WHEN 'step' THEN key::int END, sum(sent) DESC, key),
    sum(sent), sum(people), sum(answered), sum(interested), sum(bounced), sum(opted_out), sum(in_doubt), sum(held)
  FROM h WHERE kind <> 'week' GROUP BY kind, key)
SELECT n.*, coalesce(b.address, s.name, n.key) AS label FROM n
LEFT JOIN mailboxes b ON b.id = CASE WHEN :by = 'sender' AND n.kind = 'row' THEN n.key::uuid END
LEFT JOIN sequences s ON s.id = CASE WHEN :by = 'sequence' AND n.kind = 'row' THEN n.key::uuid END
WHERE n.kind <> 'row' OR n.number > :after AND n.number <= CAST(:after AS int) + CAST(:limit AS int)
ORDER BY n.kind, n.week, n.number

-- name: counted_at
SELECT counted_at FROM numbers_counts WHERE organization_id = :organization_id AND counted_at IS NOT NULL

-- name: organization
SELECT time_zone AS zone, clock_timestamp() AS now FROM organizations WHERE id = :id

-- name: sequence
SELECT s.name FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id
WHERE s.id = :id AND s.organization_id = :organization_id AND s.kind = 'sequence' AND {sees}
