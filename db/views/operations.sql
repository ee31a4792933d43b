-- How the whole installation stands. No address, no name of a person, no text.

-- name: lately
-- An email that a search found has the time of the search as its due time, after its request.
WITH sent AS (
  SELECT extract(epoch FROM send_started_at - due_at)::float AS lag, failures FROM deliveries
  WHERE state = 'sent' AND sent_at > now() - interval '1 minute'),
failed AS (
  SELECT (SELECT coalesce(sum(failures), 0) FROM sent)
    + (SELECT count(*) FROM audit_entries WHERE action = 'delivery_failed' AND at > now() - interval '1 minute') AS number)
SELECT (SELECT array_agg(coalesce(c.number, 0) ORDER BY r.place) FROM generate_series(0, cardinality(CAST(:bounds AS float[]))) AS r (place)
    LEFT JOIN (SELECT width_bucket(lag, CAST(:bounds AS float[])) AS place, count(*) AS number FROM sent WHERE lag >= 0 GROUP BY 1) c
      USING (place)) AS lags,
  (SELECT count(*) FROM sent) + failed.number AS attempts, failed.number AS attempts_failed FROM failed

-- name: lanes
-- Few columns of each open lane, then what belongs to the few that are shown.
WITH found AS (
  SELECT l.mailbox_id, l.daily_cap, l.next_due_at, l.retry_after_until, l.wait_reason, l.zone,
    CASE WHEN l.sent_on = (now() AT TIME ZONE l.zone)::date THEN l.sent_today ELSE 0 END AS sent_today,
    CASE WHEN l.retry_after_until > now() THEN 'asked_to_wait'
      WHEN l.sent_on = (now() AT TIME ZONE l.zone)::date AND l.sent_today >= l.daily_cap THEN 'daily_limit'
      WHEN l.last_served_at IS NULL OR l.last_served_at < now() - interval '1 minute' THEN 'overdue' ELSE 'pace' END AS state
  FROM lanes l WHERE l.open AND l.next_due_at IS NOT NULL AND (l.retry_after_until > now() OR l.next_due_at < now() - interval '1 minute'
    OR (l.sent_on = (now() AT TIME ZONE l.zone)::date AND l.sent_today >= l.daily_cap))),
shown AS (
  SELECT f.*, count(*) OVER () AS waiting FROM found f
  ORDER BY array_position(ARRAY['overdue', 'asked_to_wait', 'daily_limit', 'pace'], f.state), f.next_due_at LIMIT :most)
SELECT s.mailbox_id, o.name AS organization, b.provider, s.state, s.wait_reason AS reason,
  (SELECT count(*) FROM (SELECT FROM deliveries d WHERE d.mailbox_id = s.mailbox_id AND d.state = 'pending' AND NOT d.held
    AND d.due_at <= now() ORDER BY d.due_at LIMIT :counted) listed) AS due,
  (SELECT d.due_at FROM deliveries d WHERE d.mailbox_id = s.mailbox_id AND d.state = 'pending' AND NOT d.held
    AND d.due_at <= now() ORDER BY d.due_at LIMIT 1) AS oldest_due_at,
  s.sent_today, s.daily_cap,
  CASE s.state WHEN 'asked_to_wait' THEN s.retry_after_until
    WHEN 'daily_limit' THEN ((now() AT TIME ZONE s.zone)::date + 1)::timestamp AT TIME ZONE s.zone END AS until,
  s.waiting
FROM shown s JOIN mailboxes b ON b.id = s.mailbox_id JOIN organizations o ON o.id = b.organization_id
ORDER BY array_position(ARRAY['overdue', 'asked_to_wait', 'daily_limit', 'pace'], s.state), s.next_due_at

-- name: reading
SELECT count(*) AS mailboxes, count(*) FILTER (WHERE r.queued_at IS NOT NULL) AS enqueued,
  count(*) FILTER (WHERE r.failures > 0) AS failing, count(*) FILTER (WHERE {late}) AS late,
  count(*) FILTER (WHERE r.failures > 0 OR {late}) AS unread, min({read_until}) AS oldest
FROM mailbox_reads r JOIN mailboxes b ON b.id = r.mailbox_id WHERE {heard}

-- name: heard
b.status = 'connected' AND r.next_read_at IS NOT NULL

-- name: read_until
coalesce(r.read_as_of, r.watermark)

-- name: late
-- The longest wait between two readings is an hour (domain/listening/cadence.py).
(r.next_read_at < now() - interval '1 minute' OR {read_until} < now() - interval '65 minutes')

-- name: unread
SELECT r.mailbox_id, o.name AS organization, b.provider, {read_until} AS read_until, r.failing_since, r.failures, r.last_error, r.next_read_at
FROM mailbox_reads r JOIN mailboxes b ON b.id = r.mailbox_id JOIN organizations o ON o.id = r.organization_id
WHERE {heard} AND (r.failures > 0 OR {late}) ORDER BY {read_until}, r.mailbox_id LIMIT :most

-- name: doubts
SELECT d.id AS delivery_id, o.name AS organization, b.provider, d.send_started_at AS since, d.reconcile_attempts AS attempts,
  d.due_at AS next_attempt_at, d.grace_until
FROM deliveries d JOIN organizations o ON o.id = d.organization_id JOIN mailboxes b ON b.id = d.mailbox_id
WHERE d.state = 'in_doubt' ORDER BY d.due_at, d.id LIMIT :most

-- name: mailboxes
SELECT provider, status, status_reason AS reason, count(*) AS number FROM mailboxes
GROUP BY provider, status, status_reason ORDER BY status, number DESC, provider, reason

-- name: jobs
-- Two partial indexes, neither of which has what is done.
SELECT kind, count(*) FILTER (WHERE NOT parked) AS open, count(*) FILTER (WHERE parked) AS parked,
  min(created_at) FILTER (WHERE NOT parked) AS oldest
FROM (SELECT kind, created_at, false AS parked FROM outbox WHERE done_at IS NULL AND parked_at IS NULL
  UNION ALL SELECT kind, created_at, true FROM outbox WHERE done_at IS NULL AND parked_at IS NOT NULL) listed
GROUP BY kind ORDER BY parked DESC, open DESC, kind
