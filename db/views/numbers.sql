-- What sequences did in a period. Read only.

-- name: sees
-- Does ``:member_id`` see email ``d`` of sequence ``s`` from mailbox ``b``? As domain/sight.py decides for a person: everything of
-- those in their own sequences, and what their own mailbox sent. NULL: who manages the organization.
(CAST(:member_id AS uuid) IS NULL OR CAST(:member_id AS uuid) IN (s.owner_id, b.owner_id))

-- name: heard
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

-- name: emails
-- An answer to an email in doubt counts once somebody has settled that it left.
SELECT d.id, d.sequence_id, d.mailbox_id, position, candidate_id, coalesce(sent_at, send_started_at, due_at) AS at,
  state = 'sent' AS sent, state IN ('in_doubt', 'review') AS in_doubt, state = 'pending' AS held
FROM deliveries d JOIN sequences s ON s.id = d.sequence_id JOIN enrollments e ON e.id = d.enrollment_id
JOIN steps t ON t.id = d.step_id JOIN mailboxes b ON b.id = d.mailbox_id
WHERE d.organization_id = :organization_id AND s.kind = 'sequence' AND {sees}
  AND d.sequence_id = coalesce(CAST(:sequence_id AS uuid), d.sequence_id)
  AND (state = 'sent' AND sent_at >= :since AND sent_at < :until
    OR state IN ('in_doubt', 'review') AND coalesce(send_started_at, due_at) >= :since AND coalesce(send_started_at, due_at) < :until
    OR state = 'pending' AND held AND due_at >= :since AND due_at < :until)

-- name: read
-- The total, each week, and each step, sender or sequence. ``number``: of the rows of its kind, the largest first.
WITH mail AS MATERIALIZED ({emails}),
heard AS (SELECT delivery_id, bool_or(what = 'answer') AS answered, bool_or(interested) AS interested,
    bool_or(what = 'bounce') AS bounced, bool_or(what = 'opt_out') AS opted_out
  FROM ({heard}) h WHERE delivery_id IS NOT NULL GROUP BY 1),
known AS (SELECT m.*, CAST(date_trunc('week', at AT TIME ZONE :zone) AS date) AS week,
    CASE :by WHEN 'step' THEN position::text WHEN 'sender' THEN mailbox_id::text WHEN 'sequence' THEN sequence_id::text END AS key,
    heard.*
  FROM mail m LEFT JOIN heard ON delivery_id = m.id AND sent),
-- One row for each person of the total, of a week and of a row, so that nothing has to be sorted to count people once.
each AS (SELECT CASE WHEN grouping(week) = 0 THEN 'week' WHEN grouping(key) = 0 THEN 'row' ELSE 'total' END AS kind, week, key,
    count(*) FILTER (WHERE sent) AS sent, bool_or(answered) AS answered, bool_or(interested) AS interested,
    bool_or(bounced) AS bounced, bool_or(opted_out) AS opted_out,
    count(*) FILTER (WHERE in_doubt) AS in_doubt, count(*) FILTER (WHERE held) AS held
  FROM known GROUP BY GROUPING SETS ((candidate_id), (candidate_id, week), (candidate_id, key))),
counted AS (SELECT kind, week, key, sum(sent)::bigint AS sent, count(*) FILTER (WHERE sent > 0) AS people,
    count(*) FILTER (WHERE answered) AS answered, count(*) FILTER (WHERE interested) AS interested,
    count(*) FILTER (WHERE bounced) AS bounced, count(*) FILTER (WHERE opted_out) AS opted_out,
    sum(in_doubt)::bigint AS in_doubt, sum(held)::bigint AS held
  FROM each GROUP BY kind, week, key),
n AS (SELECT c.*, coalesce(b.address, s.name, c.key) AS label
  FROM counted c LEFT JOIN mailboxes b ON :by = 'sender' AND b.id::text = c.key
  LEFT JOIN sequences s ON :by = 'sequence' AND s.id::text = c.key
  WHERE c.kind <> 'row' OR c.key IS NOT NULL)
SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY kind
    ORDER BY CASE WHEN :by = 'step' THEN key::int END, sent DESC, label, key) AS number FROM n) n
WHERE kind <> 'row' OR number > :after AND number <= CAST(:after AS int) + CAST(:limit AS int)
ORDER BY kind, week, number

-- name: organization
SELECT time_zone AS zone, clock_timestamp() AS now FROM organizations WHERE id = :id

-- name: sequence
SELECT s.name FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id
WHERE s.id = :id AND s.organization_id = :organization_id AND s.kind = 'sequence' AND {sees}
