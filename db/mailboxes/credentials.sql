-- name: store_refreshed
UPDATE credentials SET access_token = :access, access_expires_at = :expires, refresh_token = :refresh,
  version = version + 1, updated_at = clock_timestamp(), refused_at = NULL, refused_code = NULL
WHERE mailbox_id = :id AND version = :version AND epoch = :epoch AND refresh_token IS NOT NULL

-- name: is_everybodys
SELECT mine.refused_at > clock_timestamp() - interval '1 day' AND first.refused_at IS NOT NULL AND NOT EXISTS (
  SELECT FROM credentials c WHERE c.mailbox_id <> mine.mailbox_id AND c.access_token IS NOT NULL
    AND c.refused_at IS NULL AND c.updated_at > first.refused_at) AS everybodys
FROM credentials mine LEFT JOIN LATERAL (SELECT min(c.refused_at) AS refused_at FROM credentials c
  WHERE c.organization_id <> mine.organization_id AND c.refused_code = mine.refused_code
    AND c.refused_at > clock_timestamp() - interval '1 day') first ON true WHERE mine.mailbox_id = :id

-- name: store_connected
INSERT INTO credentials (mailbox_id, organization_id, access_token, access_expires_at, refresh_token,
    version) VALUES (:id, :organization, :access, :expires, :refresh, 1)
ON CONFLICT (mailbox_id) DO UPDATE SET access_token = :access,
  access_expires_at = :expires, refresh_token = :refresh, last_token_until = NULL,
  version = credentials.version + 1, epoch = credentials.epoch + 1, updated_at = clock_timestamp(),
  refresh_not_before = NULL, refused_at = NULL, refused_code = NULL
