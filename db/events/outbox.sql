-- name: insert
-- One job: alone, or ``FROM`` what the statement that makes the change returns. ``entry`` gives the parameters.
INSERT INTO outbox (id, kind, dedupe_key, payload, available_at)
SELECT :job_id, :job_kind, :job_key, CAST(:job AS jsonb), clock_timestamp() + :job_after

-- name: once
ON CONFLICT (dedupe_key) DO NOTHING

-- name: put
{insert} {once}

-- name: take_unpublished
UPDATE outbox SET published_at = clock_timestamp(), attempts = attempts + 1,
  parked_at = CASE WHEN attempts >= :most THEN clock_timestamp() END
WHERE id IN (SELECT id FROM outbox WHERE done_at IS NULL AND parked_at IS NULL
  AND available_at <= now()
  AND (published_at IS NULL OR published_at < now() - :again)
  -- Webhooks come last, so that many calls to a slow receiver hold up nothing else.
  ORDER BY kind = 'call_webhook', available_at LIMIT :limit FOR UPDATE SKIP LOCKED)
RETURNING id, kind, parked_at, payload

-- name: snooze
UPDATE outbox SET published_at = NULL, available_at = clock_timestamp() + :wait,
  attempts = greatest(attempts - 1, 0) WHERE id = :id AND done_at IS NULL

-- name: announcement
SELECT EXISTS (SELECT FROM outbox WHERE dedupe_key = :key) AS announced, EXISTS (SELECT FROM outbox
  WHERE kind IN ('fan_out', 'pause_sequence') AND done_at IS NULL AND parked_at IS NULL
  AND payload->>'event_id' = :event_id) AS unfinished

-- name: retry
UPDATE outbox SET parked_at = NULL, published_at = NULL, attempts = 0, available_at = clock_timestamp()
WHERE parked_at IS NOT NULL AND done_at IS NULL AND (CAST(:id AS uuid) IS NULL OR id = :id) RETURNING id

-- name: purge_done
WITH gone AS (DELETE FROM outbox WHERE done_at < now() - :age RETURNING id),
forgotten AS (DELETE FROM inbox USING gone WHERE inbox.outbox_id = gone.id)
SELECT count(*) FROM gone
