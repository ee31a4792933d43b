-- name: put_aside
UPDATE credentials SET access_token = NULL, access_expires_at = NULL, refresh_token = NULL,
  last_token_until = CASE WHEN access_expires_at > clock_timestamp()
    THEN least(access_expires_at, clock_timestamp() + CAST(:lasts AS interval)) ELSE last_token_until END,
  version = version + 1, epoch = epoch + 1, updated_at = clock_timestamp() WHERE mailbox_id = ANY(:ids)
RETURNING mailbox_id, last_token_until > clock_timestamp() AS kept
