-- name: refused
INSERT INTO subscription_requests (mailbox_id, folder, organization_id, refusals, retry_at, code)
VALUES (:id, :folder, :organization_id, 1, clock_timestamp() + :wait, :code)
ON CONFLICT (mailbox_id, folder) DO UPDATE SET refusals = subscription_requests.refusals + 1, retry_at = excluded.retry_at,
  code = excluded.code

-- name: keep
INSERT INTO subscriptions (mailbox_id, folder, organization_id, subscription_id, key_id, expires_at)
VALUES (:mailbox_id, :folder, :organization_id, :id, :key_id, :expires_at)
ON CONFLICT (mailbox_id, folder) DO UPDATE SET subscription_id = excluded.subscription_id,
  key_id = excluded.key_id, expires_at = excluded.expires_at

-- name: take
WITH given AS (SELECT * FROM unnest(CAST(:mailboxes AS uuid[]), CAST(:subscriptions AS text[]), CAST(:kinds AS text[]))
  AS t (mailbox_id, subscription_id, kind)),
-- A code of an account at Google stands for its mailboxes in all organizations.
known AS (SELECT s.mailbox_id, s.subscription_id, t.kind, s.folder FROM given t JOIN subscriptions s
  ON s.subscription_id = t.subscription_id AND (t.mailbox_id IS NULL OR s.mailbox_id = t.mailbox_id)),
-- The subscription is gone; the next check creates another.
lost AS (DELETE FROM subscriptions s USING known k WHERE k.kind = 'lost' AND s.mailbox_id = k.mailbox_id
  AND s.subscription_id = k.subscription_id),
-- The next round checks the mailbox, unless that happened a moment ago.
checked AS (UPDATE mailboxes b SET checked_at = NULL FROM known k WHERE k.kind <> 'new' AND b.id = k.mailbox_id
  AND b.status <> 'never_connected' AND b.checked_at < clock_timestamp() - interval '{not_again_for}'),
-- Look for its emails in doubt now.
reconciled AS (UPDATE deliveries d SET due_at = clock_timestamp() FROM known k WHERE k.kind = 'new' AND k.folder = 'sent'
  AND d.mailbox_id = k.mailbox_id AND d.state = 'in_doubt' AND d.due_at > clock_timestamp()),
-- Read what arrived, unless that happened a moment ago.
heard AS (UPDATE mailbox_reads r SET hinted_at = clock_timestamp(),
  next_read_at = least(next_read_at, greatest(clock_timestamp(), read_as_of + CAST(:apart AS interval)))
  FROM (SELECT DISTINCT mailbox_id FROM known WHERE folder = 'inbox' AND kind IN ('new', 'check')) k
  WHERE r.mailbox_id = k.mailbox_id AND r.next_read_at IS NOT NULL)
SELECT count(*) FROM known
