-- name: missing
SELECT encode(key_id, 'hex') AS key_id, count(*) AS secrets FROM {stored} stored
WHERE key_id <> ALL(CAST(:held AS bytea[])) GROUP BY 1 ORDER BY 1

-- name: any_held
SELECT EXISTS (SELECT FROM {stored} stored WHERE key_id = ANY(CAST(:held AS bytea[])))

-- name: stored
(
  SELECT substr(access_token, 2, 8) AS key_id FROM credentials
  UNION ALL SELECT substr(refresh_token, 2, 8) FROM credentials
  UNION ALL SELECT substr(last_token, 2, 8) FROM credentials
  UNION ALL SELECT substr(password, 2, 8) FROM smtp_settings
  UNION ALL SELECT substr(secret, 2, 8) FROM webhooks WHERE removed_at IS NULL
  UNION ALL SELECT substr(next_secret, 2, 8) FROM webhooks WHERE removed_at IS NULL
  UNION ALL SELECT substr(sealed_url, 2, 8) FROM webhooks WHERE removed_at IS NULL
  UNION ALL SELECT substr(sealed_url, 2, 8) FROM notice_channels
)
