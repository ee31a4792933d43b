-- name: note_draft
UPDATE deliveries SET {drafted}, draft_id = :draft_id, internet_message_id = :message_id,
  conversation_id = :conversation_id, lease_until = clock_timestamp() + :lease
WHERE id = :id AND {preparing} AND lease_token = :token

-- name: lock_lane
SELECT l.epoch, l.tokens, l.refilled_at, l.retry_after_until, l.wait_reason, l.daily_cap, l.sent_on, l.sent_today,
  clock_timestamp() AS now, (clock_timestamp() AT TIME ZONE l.zone)::date AS today,
  (((clock_timestamp() AT TIME ZONE l.zone)::date + 1)::timestamp AT TIME ZONE l.zone) AS tomorrow
FROM lanes l WHERE l.mailbox_id = :mailbox_id FOR UPDATE

-- name: pass_gate
WITH passed AS (
  UPDATE deliveries SET {passed}, epoch = :epoch, authority = CAST(:authority AS jsonb),
    send_started_at = clock_timestamp(), lease_until = clock_timestamp() + :lease
  WHERE id = :id AND {drafted} AND lease_token = :token RETURNING id),
-- Grants without a limit are not counted: that would cost one more write per email.
counted AS (
  UPDATE grants SET used_on = :today, used_today = CASE WHEN used_on = :today THEN used_today + 1 ELSE 1 END
  WHERE id = :grant_id AND daily_limit IS NOT NULL AND EXISTS (SELECT FROM passed))
UPDATE lanes SET tokens = greatest(0, least(CAST(:capacity AS float8), :tokens) - 1), refilled_at = :now,
  sent_on = :today, sent_today = :sent_today WHERE mailbox_id = :mailbox_id AND EXISTS (SELECT FROM passed)
