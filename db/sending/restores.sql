-- name: note
INSERT INTO restores (restored_to, noted_by) VALUES (:restored_to, :noted_by) RETURNING at

-- name: search_first
-- In batches, by key: there may be millions.
WITH batch AS (
  SELECT d.id, d.state, d.attempts, d.send_started_at, d.due_at, b.provider FROM deliveries d JOIN mailboxes b ON b.id = d.mailbox_id
  WHERE d.id > :after ORDER BY d.id LIMIT :limit),
marked AS (
  UPDATE deliveries d SET attempts = greatest(d.attempts, 1), releases = CASE WHEN d.attempts = 0 THEN 1 ELSE d.releases END,
    send_started_at = CASE WHEN x.blind THEN coalesce(d.send_started_at, clock_timestamp()) ELSE d.send_started_at END
  FROM (SELECT *, state IN ('pending', 'queued') AND due_at <= clock_timestamp() AND NOT provider = ANY(:traceable)
      AND send_started_at IS NULL AS blind FROM batch WHERE state <> 'sent') x
  WHERE d.id = x.id AND (d.attempts = 0 OR x.blind) RETURNING d.id, x.blind, d.state)
SELECT (SELECT id FROM batch ORDER BY id DESC LIMIT 1) AS last, count(*) FILTER (WHERE state <> 'closed') AS searched_first,
  count(*) FILTER (WHERE blind) AS blind FROM marked

-- name: lost_time
SELECT r.restored_to, r.at FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id
  JOIN restores r ON r.at > e.created_at
WHERE d.id = :id AND d.lease_token = :token AND d.authority IS NULL ORDER BY r.at DESC LIMIT 1

-- name: authorize
UPDATE deliveries d SET authority = CAST(:authority AS jsonb), epoch = l.epoch, send_started_at = coalesce(d.send_started_at, :at)
FROM lanes l WHERE d.id = :id AND d.lease_token = :token AND d.authority IS NULL AND l.mailbox_id = d.mailbox_id
