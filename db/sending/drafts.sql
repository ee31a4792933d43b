-- name: plan
UPDATE lanes SET drafts_checked_at = clock_timestamp() WHERE mailbox_id IN (
  SELECT l.mailbox_id FROM lanes l JOIN mailboxes b ON b.id = l.mailbox_id WHERE l.open AND b.provider = ANY(:providers)
    AND (l.drafts_checked_at IS NULL OR l.drafts_checked_at < clock_timestamp() - CAST(:apart AS interval))
    AND EXISTS (SELECT FROM deliveries d WHERE d.mailbox_id = l.mailbox_id AND d.left_check_at <= now())
  ORDER BY l.mailbox_id LIMIT :limit FOR UPDATE OF l SKIP LOCKED) RETURNING mailbox_id, drafts_checked_at

-- name: waiting
SELECT id, draft_id, still_draft_at IS NOT NULL AS seen FROM deliveries WHERE mailbox_id = :id
  AND left_check_at IS NOT NULL AND (left_check_at <= now() OR sent_at < now() - CAST(:settled AS interval))

-- name: gone
UPDATE deliveries SET left_check_at = NULL, still_draft_at = NULL
WHERE id = ANY(:ids) AND left_check_at IS NOT NULL

-- name: still
UPDATE deliveries d SET left_check_at = clock_timestamp() + CAST(:again AS interval),
  still_draft_at = clock_timestamp() FROM (
    SELECT id, still_draft_at IS NULL AS newly FROM deliveries WHERE id = ANY(:ids)) was
WHERE d.id = was.id AND d.left_check_at IS NOT NULL
RETURNING d.id, d.organization_id, was.newly

-- name: free_follow_ups
UPDATE deliveries SET due_at = clock_timestamp() WHERE mailbox_id = :id AND state = 'pending' AND NOT held
  AND reason = 'previous_email_still_in_drafts' AND due_at > clock_timestamp()

-- name: wake_lane
UPDATE lanes SET next_due_at = least(coalesce(next_due_at, clock_timestamp()), clock_timestamp())
WHERE mailbox_id = :id
