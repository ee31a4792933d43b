-- When mailboxes are read, by whom, and how far.

-- name: new
-- From the first email on that somebody may still answer. OFFSET 0: by this mailbox's index, whatever Postgres knows of the table.
-- Providers show whole seconds, so what arrives within the second of that email would seem to be older than it.
INSERT INTO mailbox_reads (mailbox_id, organization_id, watermark, next_read_at)
SELECT b.id, b.organization_id, date_trunc('second', least(clock_timestamp(), (SELECT sent_at FROM (SELECT sent_at FROM deliveries d
  WHERE d.mailbox_id = b.id AND d.state = 'sent' AND d.sent_at > clock_timestamp() - CAST(:heard_for AS interval)
  ORDER BY d.sent_at LIMIT 1 OFFSET 0) f))) - interval '1 second', clock_timestamp()
FROM mailboxes b

-- name: begin_with
{new}
WHERE b.id = :id ON CONFLICT (mailbox_id) DO NOTHING

-- name: watch
{new}
JOIN lanes l ON l.mailbox_id = b.id
WHERE b.provider = ANY(:readable) AND b.status = 'connected'
  AND l.last_served_at > clock_timestamp() - CAST(:heard_for AS interval)
  AND NOT EXISTS (SELECT FROM mailbox_reads r WHERE r.mailbox_id = b.id)
LIMIT :limit ON CONFLICT (mailbox_id) DO NOTHING

-- name: hasten
UPDATE mailbox_reads r SET next_read_at = clock_timestamp() + :soon FROM lanes l
WHERE l.mailbox_id = r.mailbox_id AND l.last_served_at > clock_timestamp() - CAST(:soon AS interval)
  AND (r.next_read_at IS NULL OR r.next_read_at > clock_timestamp() + :soon)

-- name: plan
-- A message that no worker takes within :again is enqueued once more. It counts as enqueued no longer by then.
WITH due AS (
  SELECT mailbox_id FROM mailbox_reads WHERE next_read_at <= clock_timestamp() ORDER BY next_read_at
  LIMIT least(:limit, greatest(0, :bound - (SELECT count(*) FROM (
    SELECT FROM mailbox_reads WHERE queued_at IS NOT NULL AND next_read_at > clock_timestamp() LIMIT :bound) q)))
  FOR UPDATE SKIP LOCKED)
UPDATE mailbox_reads r SET round = round + 1, queued_at = clock_timestamp(), next_read_at = clock_timestamp() + :again
FROM due WHERE r.mailbox_id = due.mailbox_id RETURNING r.mailbox_id, r.round

-- name: take
UPDATE mailbox_reads r SET lease_token = :lease, lease_until = clock_timestamp() + :lasts, queued_at = NULL
FROM mailboxes b
WHERE r.mailbox_id = :id AND b.id = r.mailbox_id AND b.status = 'connected' AND b.provider = ANY(:readable)
  AND (r.round = CAST(:round AS int) OR CAST(:round AS int) IS NULL)
  AND (r.lease_until IS NULL OR r.lease_until < clock_timestamp())
RETURNING r.organization_id, r.watermark, r.failing_since, b.provider, b.address, b.former_addresses, b.connection_version,
  clock_timestamp() AS began, CASE WHEN r.log_connection = b.connection_version THEN r.log_read END AS log_read,
  CASE WHEN r.log_connection = b.connection_version THEN r.log_newest END AS log_newest,
  CASE WHEN r.log_connection = b.connection_version THEN r.log_newest_at END AS log_newest_at

-- name: postpone
UPDATE mailbox_reads SET next_read_at = least(next_read_at, clock_timestamp() + :soon), queued_at = NULL
WHERE mailbox_id = :id AND (round = CAST(:round AS int) OR CAST(:round AS int) IS NULL)

-- name: leave_alone
UPDATE mailbox_reads r SET next_read_at = clock_timestamp() + :wait, queued_at = NULL, failures = 0, last_error = NULL,
  failing_since = NULL
FROM mailboxes b
WHERE r.mailbox_id = :id AND b.id = r.mailbox_id AND b.status <> 'connected' AND r.next_read_at IS NOT NULL

-- name: hold_slot
UPDATE lanes SET slot_until = clock_timestamp() + :lasts WHERE mailbox_id = :id AND slot_token = :slot

-- name: keep
UPDATE mailbox_reads SET lease_until = clock_timestamp() + :lasts, watermark = greatest(watermark, :watermark),
  seen = seen + :seen, matched = matched + :matched
WHERE mailbox_id = :id AND lease_token = :lease

-- name: prospects
SELECT clock_timestamp() AS now,
  (SELECT sent_at FROM deliveries WHERE mailbox_id = :id AND state = 'sent' ORDER BY sent_at DESC LIMIT 1) AS last_sent_at,
  EXISTS (SELECT FROM deliveries WHERE mailbox_id = :id AND state = 'pending' AND NOT held) AS somebody_waits

-- name: finish
-- What arrived since the moment as of which nothing is unread may be missing, so a hint of that time calls for another reading.
UPDATE mailbox_reads SET lease_token = NULL, lease_until = NULL, failures = 0, last_error = NULL, failing_since = NULL,
  read_as_of = CASE WHEN :complete THEN greatest(read_as_of, :as_of) ELSE read_as_of END,
  watermark = CASE WHEN :complete THEN greatest(watermark, :watermark) ELSE watermark END,
  log_read = :log_read, log_newest = :log_newest, log_newest_at = :log_newest_at,
  log_connection = CASE WHEN CAST(:log_newest AS text) IS NOT NULL THEN CAST(:connection AS int) END,
  next_read_at = CASE WHEN hinted_at > :as_of THEN clock_timestamp() + :apart
    ELSE clock_timestamp() + CAST(:wait AS interval) END
WHERE mailbox_id = :id AND lease_token = :lease

-- name: fail
UPDATE mailbox_reads SET lease_token = NULL, lease_until = NULL, failures = failures + 1, last_error = :error,
  failing_since = CASE WHEN :counts THEN coalesce(failing_since, clock_timestamp()) END
WHERE mailbox_id = :id AND lease_token = :lease RETURNING failures, failing_since, clock_timestamp() AS now

-- name: wait
UPDATE mailbox_reads SET next_read_at = clock_timestamp() + :wait WHERE mailbox_id = :id
