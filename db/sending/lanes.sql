-- name: hold
UPDATE lanes SET retry_after_until = :until, wait_reason = CAST(:reason AS text) WHERE mailbox_id = :id
  AND (retry_after_until IS NULL OR retry_after_until < :until)

-- name: limited_since
UPDATE lanes SET limited_at = clock_timestamp(), limited_since =
  CASE WHEN limited_at > clock_timestamp() - CAST(:same AS interval) THEN limited_since ELSE clock_timestamp() END
WHERE mailbox_id = :id RETURNING limited_since
