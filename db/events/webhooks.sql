-- name: registered
SELECT count(*) AS standing, count(*) FILTER (WHERE url_code = ANY(:codes)) AS same FROM webhooks
WHERE organization_id = :id AND removed_at IS NULL

-- name: add
INSERT INTO webhooks (id, organization_id, sealed_url, url_code, host, secret)
VALUES (:id, :organization_id, :url, :code, :host, :secret)

-- name: remove
UPDATE webhooks SET removed_at = clock_timestamp() WHERE id = :id AND organization_id = :organization_id
  AND removed_at IS NULL RETURNING id

-- name: listing
SELECT w.id, w.host, w.created_at, w.events, w.disabled_at, w.replacing, count(c.event_id) FILTER (WHERE c.state = 'taken') AS taken,
  count(c.event_id) FILTER (WHERE c.state = 'waiting') AS waiting,
  count(c.event_id) FILTER (WHERE c.state = 'given_up') AS given_up,
  (SELECT x.answer FROM webhook_calls x WHERE x.webhook_id = w.id AND x.answer IS NOT NULL
    ORDER BY x.created_at DESC LIMIT 1) AS last_answer
FROM webhooks w LEFT JOIN webhook_calls c ON c.webhook_id = w.id
WHERE w.organization_id = :id AND w.removed_at IS NULL GROUP BY w.id ORDER BY w.created_at

-- name: begin_call
INSERT INTO webhook_calls (webhook_id, event_id, organization_id, attempts, lease_until)
VALUES (:id, :event, :organization, 1, clock_timestamp() + CAST(:lease AS interval))
ON CONFLICT (webhook_id, event_id) DO UPDATE SET attempts = webhook_calls.attempts + 1,
  lease_until = clock_timestamp() + CAST(:lease AS interval)
WHERE webhook_calls.state = 'waiting'
  AND (webhook_calls.lease_until IS NULL OR webhook_calls.lease_until < clock_timestamp()) RETURNING attempts

-- name: end_call
UPDATE webhook_calls SET state = :state, answer = :answer, lease_until = NULL
WHERE webhook_id = :id AND event_id = :event AND state = 'waiting' AND attempts = :attempt RETURNING event_id

-- name: give_up
INSERT INTO webhook_calls (webhook_id, event_id, organization_id, attempts, state, answer)
VALUES (:id, :event, :organization, 0, 'given_up', :answer)
ON CONFLICT (webhook_id, event_id) DO UPDATE SET state = 'given_up', answer = :answer, lease_until = NULL
WHERE webhook_calls.state = 'waiting'

-- name: paused
SELECT s.id, s.name FROM pauses p JOIN sequences s ON s.id = p.sequence_id WHERE p.event_id = :id ORDER BY s.name

-- name: older
-- Under an older key. The key's id: see db/core/crypto.py.
(substr(secret, 2, 8) <> :newest OR substr(next_secret, 2, 8) <> :newest OR substr(sealed_url, 2, 8) <> :newest)

-- name: take_older
SELECT * FROM webhooks WHERE {older} ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED

-- name: count_older
SELECT count(*) FROM webhooks WHERE {older}

-- name: take_plain
SELECT * FROM webhooks WHERE url IS NOT NULL OR (url_code IS NULL AND removed_at IS NULL)
ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
