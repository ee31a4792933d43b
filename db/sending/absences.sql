-- name: take_turn
WITH taken AS (
  UPDATE mailboxes SET reading_until = clock_timestamp() + :takes WHERE id = :id
    AND settings_at < clock_timestamp() - CAST(:stale AS interval)
    AND coalesce(reading_until < clock_timestamp(), true) AND coalesce(unread_until < clock_timestamp(), true)
  RETURNING id)
SELECT EXISTS (SELECT FROM taken) AS mine, coalesce(reading_until > clock_timestamp(), false)
  AND settings_at < clock_timestamp() - CAST(:stale AS interval) AS reading FROM mailboxes WHERE id = :id

-- name: move
WITH moved AS (
  UPDATE deliveries SET due_at = :due_at WHERE mailbox_id = :id AND state = 'pending' AND NOT held
    AND reason = :reason RETURNING 1)
UPDATE lanes SET next_due_at = least(coalesce(next_due_at, :due_at), :due_at)
WHERE mailbox_id = :id AND EXISTS (SELECT FROM moved)
