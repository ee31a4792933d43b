-- name: due
-- now() instead of clock_timestamp(): the planner can use a stable time as an index condition, so it does not even read a
-- lane's later work. ANY(ARRAY(…)) for the same reason: it looks up the few picked rows instead of joining by a scan.
-- What nobody has approved yet, the trigger deliveries_for_person holds instead: it is not queued, and takes no slot again.
WITH room AS (SELECT CASE WHEN hold_of(NULL, NULL) IS NULL THEN greatest(0, :bound - count(*)) ELSE 0 END AS free
  FROM deliveries WHERE state = 'queued'),
ready AS MATERIALIZED (
  SELECT mailbox_id, tokens, refilled_at, sent_on, sent_today, daily_cap, zone, last_served_at FROM lanes
  WHERE open AND next_due_at <= now() AND (SELECT free FROM room) > 0
    AND (retry_after_until IS NULL OR retry_after_until <= now()) AND hold_of(organization_id, mailbox_id) IS NULL
  ORDER BY last_served_at NULLS FIRST, mailbox_id LIMIT :lanes FOR UPDATE SKIP LOCKED),
share AS (
  SELECT r.mailbox_id, r.zone, r.last_served_at,
    CASE WHEN r.sent_on = (now() AT TIME ZONE r.zone)::date THEN r.daily_cap - r.sent_today ELSE r.daily_cap END AS cap,
    least(:slots - b.slots,
      floor(least(:capacity, r.tokens + :rate * greatest(0, extract(epoch FROM now() - r.refilled_at)))) - b.unpaid) AS take
  -- Lane by lane: as a join Postgres may count what all have in flight once for each lane, while it holds them all.
  FROM ready r CROSS JOIN LATERAL (
    SELECT count(*) AS slots, count(*) FILTER (WHERE state <> 'sending') AS unpaid FROM deliveries
    WHERE mailbox_id = r.mailbox_id AND state IN ('queued', 'preparing', 'drafted', 'sending')) b),
due AS MATERIALIZED (
  SELECT d.id, s.mailbox_id, s.last_served_at,
    row_number() OVER (PARTITION BY s.mailbox_id ORDER BY d.due_at, d.id) AS turn
  FROM share s CROSS JOIN LATERAL (
    SELECT id, due_at FROM deliveries WHERE mailbox_id = s.mailbox_id AND state = 'pending' AND NOT held
      AND due_at <= now() ORDER BY due_at LIMIT greatest(0, least(s.take, s.cap)) FOR UPDATE SKIP LOCKED) d),
-- Each lane's first before any lane's second, so that the room is shared, and because neighbours of one lane would wait for
-- its lock, each with a worker's thread.
picked AS MATERIALIZED (
  SELECT id, mailbox_id, turn FROM due ORDER BY turn, last_served_at NULLS FIRST, mailbox_id
  LIMIT (SELECT free FROM room)),
queued AS (
  UPDATE deliveries d SET {queue}, dispatch_no = dispatch_no + 1, queued_at = now(), reason = NULL
  WHERE d.id = ANY(ARRAY(SELECT id FROM picked)) RETURNING d.id, d.dispatch_no, d.state),
-- A lane for which no room was left keeps its place in the line.
served AS (
  UPDATE lanes l SET last_served_at = CASE WHEN l.mailbox_id IN (SELECT mailbox_id FROM due)
      AND l.mailbox_id NOT IN (SELECT mailbox_id FROM picked) THEN l.last_served_at ELSE now() END, next_due_at =
    CASE WHEN s.cap <= 0 THEN ((now() AT TIME ZONE s.zone)::date + 1)::timestamp AT TIME ZONE s.zone
    ELSE (SELECT n.due_at FROM deliveries n WHERE n.mailbox_id = l.mailbox_id AND n.state = 'pending' AND NOT n.held
            AND n.id NOT IN (SELECT id FROM picked) ORDER BY n.due_at LIMIT 1) END
  FROM share s WHERE l.mailbox_id = s.mailbox_id)
SELECT id, dispatch_no FROM queued JOIN picked USING (id) WHERE state = 'queued' ORDER BY turn, mailbox_id

-- name: enqueue_again
UPDATE deliveries SET dispatch_no = dispatch_no + 1, queued_at = clock_timestamp() WHERE id IN (
  SELECT id FROM deliveries WHERE state = 'queued' AND queued_at < now() - :again
  ORDER BY queued_at LIMIT :limit FOR UPDATE SKIP LOCKED) RETURNING id, dispatch_no

-- name: lock_lanes_of_lost
SELECT mailbox_id FROM lanes WHERE mailbox_id IN (
  SELECT mailbox_id FROM deliveries WHERE state IN ('preparing', 'drafted', 'sending') AND lease_until < now() - :slack)
ORDER BY mailbox_id LIMIT :limit FOR UPDATE SKIP LOCKED

-- name: expire_leases
WITH lost AS (
  UPDATE deliveries SET
    state = CASE WHEN {passed_gate} THEN {in_doubt} ELSE {pending} END, reason = 'worker_lost',
    due_at = CASE WHEN state = 'sending' THEN clock_timestamp() ELSE due_at END,
    grace_until = CASE WHEN state = 'sending' THEN clock_timestamp() + :grace END,
    reconcile_attempts = 0, lease_token = NULL, lease_until = NULL
  WHERE state IN ('preparing', 'drafted', 'sending') AND lease_until < now() - :slack
    AND mailbox_id = ANY(:mailbox_ids) RETURNING mailbox_id, state, due_at),
woken AS (
  UPDATE lanes l SET next_due_at = least(coalesce(l.next_due_at, x.due_at), x.due_at)
  FROM (SELECT mailbox_id, min(due_at) AS due_at FROM lost WHERE state = 'pending' GROUP BY mailbox_id) x
  WHERE l.mailbox_id = x.mailbox_id)
SELECT count(*) FILTER (WHERE state = 'pending') AS unsent,
  count(*) FILTER (WHERE state = 'in_doubt') AS in_doubt FROM lost

-- name: plan_attempts
WITH first AS (
  SELECT DISTINCT ON (mailbox_id) id FROM deliveries WHERE state = 'in_doubt'
    AND due_at <= clock_timestamp() ORDER BY mailbox_id, due_at)
UPDATE deliveries SET dispatch_no = dispatch_no + 1, due_at = clock_timestamp() + :again WHERE id IN (
  SELECT id FROM deliveries WHERE id IN (SELECT id FROM first) LIMIT :limit FOR UPDATE SKIP LOCKED)
AND state = 'in_doubt' RETURNING id, dispatch_no

-- name: refresh_lanes
UPDATE lanes l SET next_due_at = x.due_at FROM (
  SELECT o.mailbox_id, (SELECT n.due_at FROM deliveries n
    WHERE n.mailbox_id = o.mailbox_id AND n.state = 'pending' AND NOT n.held ORDER BY n.due_at LIMIT 1) AS due_at
  FROM lanes o WHERE o.open ORDER BY o.mailbox_id FOR UPDATE SKIP LOCKED) x
WHERE l.mailbox_id = x.mailbox_id AND x.due_at IS NOT NULL
  AND (l.next_due_at IS NULL OR l.next_due_at > x.due_at)
  -- Not lanes that have reached their daily cap and wait for the next day.
  AND NOT (l.sent_on = (clock_timestamp() AT TIME ZONE l.zone)::date AND l.sent_today >= l.daily_cap)
