-- name: pass_gate
UPDATE lanes SET tokens = greatest(0, least(:capacity, :tokens) - 1), refilled_at = :now, sent_on = :today,
  sent_today = :sent_today, testing_until = :now + CAST(:most AS interval) WHERE mailbox_id = :id
  AND (testing_until IS NULL OR testing_until < :now) RETURNING mailbox_id
