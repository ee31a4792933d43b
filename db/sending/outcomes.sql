-- name: in_flight
-- As everywhere, this locks the lane before the delivery: the CTE takes its lock while the join runs, the outer query on
-- the result.
WITH lane AS MATERIALIZED (
  SELECT mailbox_id FROM lanes WHERE mailbox_id = (SELECT mailbox_id FROM deliveries WHERE id = :id) FOR UPDATE)
SELECT d.organization_id, d.mailbox_id, d.enrollment_id, d.step_id, d.authority, d.epoch, d.draft_id,
  d.internet_message_id, d.conversation_id, d.send_started_at, b.address AS sender, b.provider, clock_timestamp() AS now
FROM lane JOIN deliveries d ON d.mailbox_id = lane.mailbox_id JOIN mailboxes b ON b.id = d.mailbox_id
WHERE d.id = :id AND {expected}
  -- A 202 for a draft that we asked to remove proves nothing: Exchange may have dropped the email with it.
  AND (:known_by <> 'answer' OR d.recalled_draft IS DISTINCT FROM d.draft_id) FOR UPDATE OF d

-- name: record
WITH stored AS (INSERT INTO receipts SELECT * FROM jsonb_populate_record(NULL::receipts, CAST(:receipt AS jsonb))),
audited AS ({audit_entry}),
moved AS (
  UPDATE deliveries SET {sent}, sent_at = :accepted_at, receipt_id = id,
    lease_token = NULL, lease_until = NULL, grace_until = NULL, reason = NULL,
    left_check_at = CASE WHEN :only_accepted THEN clock_timestamp() + CAST(:left_after AS interval) END,
    internet_message_id = :internet_message_id, conversation_id = :conversation_id WHERE id = :id),
{after} SELECT * FROM here

-- name: release
due_at = :due_at, held = :held, reason = :reason, grace_until = NULL, reconcile_attempts = 0,
recalled_draft = CASE WHEN :in_doubt THEN NULL ELSE recalled_draft END,
releases = CASE WHEN :fresh THEN attempts WHEN :in_doubt THEN releases ELSE releases + 1 END,
failures = failures + CASE WHEN :failed THEN 1 ELSE 0 END,
first_failed_at = CASE WHEN :failed THEN coalesce(first_failed_at, clock_timestamp()) ELSE first_failed_at END,
send_started_at = CASE WHEN :unsent THEN NULL ELSE send_started_at END

-- name: in_doubt
reason = :reason, due_at = :reconcile_at, reconcile_attempts = 0,
grace_until = greatest(clock_timestamp(), :reconcile_at) + :grace

-- name: wake_lane
UPDATE lanes SET next_due_at = CASE WHEN :held THEN next_due_at ELSE least(coalesce(next_due_at, :due_at), :due_at) END
WHERE mailbox_id = :mailbox_id

-- name: follow
-- An email of a sequence that was handed over leaves from the sequence's mailbox, unless it may have left from its own.
UPDATE deliveries d SET mailbox_id = s.mailbox_id, draft_id = NULL FROM sequences s
WHERE d.id = :id AND s.id = d.sequence_id AND s.handed_over IS NOT NULL AND d.mailbox_id <> s.mailbox_id
  AND d.state = 'pending' AND d.send_started_at IS NULL RETURNING d.mailbox_id

-- name: stop
UPDATE enrollments SET status = 'stopped', reason = :reason, paused_at = NULL
WHERE id = :id AND status IN ('active', 'paused')
