-- name: mark_connected
UPDATE mailboxes SET status = 'connected', status_reason = NULL, refused_sending = NULL,
  connection_version = connection_version + 1, provider = :provider, connected_at = clock_timestamp(),
  disconnected_at = NULL, {read} WHERE id = :id RETURNING connection_version

-- name: keep_closed
-- What it needs to send a test email.
UPDATE mailboxes SET {read} WHERE id = :id RETURNING connection_version

-- name: read
scopes = :scopes, tenant_id = coalesce(nullif(:tenant_id, ''), tenant_id),
  account_id = coalesce(nullif(:account_id, ''), account_id), settings = CAST(:settings AS jsonb),
  settings_at = clock_timestamp(), checked_at = clock_timestamp()

-- name: reopen
UPDATE mailboxes SET status = 'connected', status_reason = NULL, refused_sending = NULL,
  connection_version = connection_version + 1, checked_at = clock_timestamp(), connected_at = clock_timestamp(),
  disconnected_at = NULL
WHERE id = :id AND status = 'disconnected' AND connection_version = :version
  AND status_reason NOT IN ('removed', 'disabled') RETURNING connection_version, settings->>'zone' AS zone

-- name: open_lane
UPDATE lanes SET open = true, epoch = epoch + 1, retry_after_until = NULL, wait_reason = NULL, zone = :zone,
  next_due_at = (SELECT min(due_at) FROM deliveries WHERE mailbox_id = :id AND state = 'pending' AND NOT held)
WHERE mailbox_id = :id

-- name: set_settings
UPDATE mailboxes SET settings = CAST(:settings AS jsonb), settings_at = clock_timestamp(),
  reading_until = NULL, unread_until = NULL, checked_at = clock_timestamp()
WHERE id = :id AND connection_version = :version
