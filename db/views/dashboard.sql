-- name: overview
SELECT
  (SELECT count(*) FROM deliveries WHERE state = 'pending' AND NOT held AND due_at <= now()
    AND mailbox_id IN (SELECT mailbox_id FROM lanes WHERE open AND next_due_at <= now())) AS due,
  (SELECT count(*) FROM deliveries WHERE state = 'queued') AS queued,
  (SELECT count(*) FROM deliveries WHERE state IN ('preparing', 'drafted', 'sending')) AS sending,
  (SELECT count(*) FROM deliveries WHERE state = 'in_doubt') AS in_doubt,
  (SELECT count(*) FROM deliveries WHERE state = 'review') AS review,
  (SELECT count(*) FROM deliveries WHERE state = 'pending' AND held) AS held,
  (SELECT count(*) FROM deliveries WHERE state = 'pending' AND NOT held) AS waiting,
  (SELECT count(*) FROM deliveries WHERE state = 'sent' AND sent_at > now() - interval '1 minute') AS sent_last_minute,
  (SELECT count(*) FROM deliveries WHERE state = 'sent' AND sent_at > now() - interval '1 hour') AS sent_last_hour,
  (SELECT count(*) FROM audit_entries WHERE action = 'delivery_failed' AND at > now() - interval '1 day') AS failed_last_day,
  {since_next_due} AS lag,
  {since_queued} AS queue_lag,
  CASE WHEN {can_send} THEN {overdue} ELSE 0 END AS overdue_for_no_reason,
  (SELECT count(*) FROM outbox WHERE done_at IS NULL AND parked_at IS NULL) AS outbox_open,
  (SELECT count(*) FROM outbox WHERE done_at IS NULL AND parked_at IS NOT NULL) AS outbox_parked,
  (SELECT count(*) FROM lanes WHERE open) AS lanes_open,
  (SELECT count(*) FROM lanes WHERE NOT open) AS lanes_closed,
  (SELECT count(*) FROM lanes WHERE open AND retry_after_until > now()) AS lanes_asked_to_wait,
  {on_hold} AS lanes_on_hold,
  {drained_for} AS drained_for,
  (SELECT seconds FROM metrics_reading_lag) AS reading_lag

-- name: drained_for
greatest(coalesce(extract(epoch FROM now() - (SELECT min(since) FROM holds WHERE organization_id IS NULL AND ended_at IS NULL
  AND (until IS NULL OR until > now()))), 0), 0)::float

-- name: on_hold
-- Most of the time nothing is held, and no lane is asked.
(CASE WHEN EXISTS (SELECT FROM holds WHERE ended_at IS NULL)
  THEN (SELECT count(*) FROM lanes WHERE open AND hold_of(organization_id, mailbox_id) IS NOT NULL) ELSE 0 END)

-- name: since_next_due
greatest(coalesce(extract(epoch FROM now() - (SELECT min(next_due_at) FROM lanes WHERE open
  AND (retry_after_until IS NULL OR retry_after_until <= now()) AND hold_of(organization_id, mailbox_id) IS NULL)), 0), 0)::float

-- name: since_queued
greatest(coalesce(extract(epoch FROM now() - (SELECT min(queued_at) FROM deliveries WHERE state = 'queued')), 0), 0)::float

-- name: can_send
-- Without a scheduler or a worker that can work that is the reason, and ``missing`` says so. Releases before heartbeats report nobody.
(NOT EXISTS (SELECT FROM processes)
  OR (EXISTS (SELECT FROM processes WHERE kind = 'scheduler' AND works AND stopped_at IS NULL AND seen_at > now() - CAST(:silent AS interval))
    AND EXISTS (SELECT FROM processes WHERE 'send' = ANY(queues) AND works AND stopped_at IS NULL AND seen_at > now() - CAST(:silent AS interval))))

-- name: overdue
-- Due for a minute, in a lane that could send and that nobody has served for a minute: nothing waits for its pace, which serves the
-- lane, for a limit, for the provider, for a window or a reading, which move the due time, or for workers to take what is queued.
(SELECT count(*) FROM lanes l JOIN deliveries d ON d.mailbox_id = l.mailbox_id
  WHERE l.open AND hold_of(l.organization_id, l.mailbox_id) IS NULL
    AND (l.last_served_at IS NULL OR l.last_served_at < now() - interval '1 minute')
    AND (l.retry_after_until IS NULL OR l.retry_after_until < now() - interval '1 minute' OR l.wait_reason = 'operator_misconfigured')
    AND (l.sent_on IS DISTINCT FROM (now() AT TIME ZONE l.zone)::date OR l.sent_today < l.daily_cap)
    AND d.state = 'pending' AND NOT d.held AND d.due_at < now() - interval '1 minute'
    AND (SELECT count(*) FROM deliveries WHERE state = 'queued') < :bound)

-- name: events
SELECT action AS what, split_part(coalesce(data->>'reason', data->>'known_by', ''), ':', 1) AS reason, count(*) AS number
FROM audit_entries WHERE at > now() - interval '1 hour'
  AND action IN ('email_sent', 'delivery_skipped', 'delivery_failed', 'delivery_cancelled', 'delivery_in_review')
GROUP BY 1, 2 ORDER BY 1, 2

-- name: held_up
SELECT state AS what, split_part(reason, ':', 1) AS reason, count(*) AS number FROM deliveries
WHERE reason IS NOT NULL AND state NOT IN ('sent', 'closed') GROUP BY 1, 2 ORDER BY 1, 2

-- name: drains
SELECT count(*) AS number, coalesce(avg((data->>'seconds')::float), 0) AS mean,
  coalesce(max((data->>'seconds')::float), 0) AS longest FROM audit_entries
WHERE at > now() - interval '1 hour' AND action = 'withdrawal_answered'

-- name: paces
SELECT b.address, b.status, b.status_reason AS reason, l.daily_cap, l.next_due_at,
  CASE WHEN l.sent_on = (now() AT TIME ZONE l.zone)::date THEN l.sent_today ELSE 0 END AS sent_today,
  (SELECT count(*) FROM deliveries d WHERE d.mailbox_id = b.id AND d.state = 'sent'
    AND d.sent_at > now() - interval '1 minute') AS sent_last_minute
FROM lanes l JOIN mailboxes b ON b.id = l.mailbox_id
ORDER BY l.last_served_at DESC NULLS LAST, b.address LIMIT :limit

-- name: notices
SELECT n.*, m.email AS recipient FROM notices n JOIN members m ON m.id = n.owner_id
WHERE (CAST(:recipient AS uuid) IS NULL OR n.owner_id = :recipient)
  AND (CAST(:channel AS text) IS NULL OR n.channel = :channel)
ORDER BY n.created_at DESC LIMIT :limit

-- name: deliveries
-- Chosen before anything is joined to them: there may be millions.
SELECT d.*, c.email AS person, s.name AS sequence, t.position AS step, b.address AS sender FROM (
  SELECT x.*, {last} AS at FROM deliveries x
  WHERE (CAST(:states AS text[]) IS NULL OR x.state = ANY(CAST(:states AS text[])))
    AND (CAST(:organization_id AS uuid) IS NULL OR x.organization_id = :organization_id)
    AND (CAST(:sequence_id AS uuid) IS NULL OR x.sequence_id = :sequence_id)
    AND (CAST(:mailbox_id AS uuid) IS NULL OR x.mailbox_id = :mailbox_id)
    AND (CAST(:enrollment_id AS uuid) IS NULL OR x.enrollment_id = :enrollment_id)
    AND (CAST(:ids AS uuid[]) IS NULL OR x.id = ANY(CAST(:ids AS uuid[])))
    AND (CAST(:since AS interval) IS NULL OR {last} > clock_timestamp() - CAST(:since AS interval))
    AND (CAST(:person AS text) IS NULL OR x.enrollment_id IN (
      SELECT e.id FROM enrollments e JOIN candidates c ON c.id = e.candidate_id WHERE c.email = lower(:person)))
  ORDER BY at DESC, x.id LIMIT :limit) d
JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id
JOIN sequences s ON s.id = d.sequence_id JOIN steps t ON t.id = d.step_id
JOIN mailboxes b ON b.id = d.mailbox_id ORDER BY d.at DESC, d.id

-- name: last
-- When something last happened to a delivery.
coalesce(x.sent_at, x.send_started_at, x.queued_at, x.created_at)

-- name: settled
-- What became of emails lately. Entries of one moment may appear a little later than others: each transaction commits by itself.
SELECT a.id, CAST(split_part(a.subject, ':', 2) AS uuid) AS delivery_id FROM audit_entries a
WHERE a.at > clock_timestamp() - CAST(:since AS interval)
  AND a.action IN ('email_sent', 'delivery_skipped', 'delivery_failed', 'delivery_cancelled', 'delivery_in_review')
  AND a.subject LIKE 'delivery:%' ORDER BY a.at, a.id
