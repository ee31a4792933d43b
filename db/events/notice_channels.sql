-- name: lock_member
SELECT organization_id FROM members WHERE id = :id FOR UPDATE

-- name: same
SELECT id, name FROM notice_channels WHERE member_id = :member_id AND url_digest = :digest AND removed_at IS NULL

-- name: add
INSERT INTO notice_channels (id, organization_id, member_id, service, name, sealed_url, url_digest)
VALUES (:id, :organization_id, :member_id, :service, :name, :url, :digest)

-- name: remove
UPDATE notice_channels SET removed_at = clock_timestamp(), sealed_url = NULL, url_digest = NULL
WHERE id = :id AND member_id = :member_id AND removed_at IS NULL RETURNING organization_id

-- name: listing
SELECT id, service, name, created_at, last_answer, last_at FROM notice_channels
WHERE member_id = :member_id AND removed_at IS NULL ORDER BY created_at, id

-- name: open_one
SELECT c.id, c.organization_id, c.sealed_url FROM notice_channels c JOIN members m ON m.id = c.member_id AND m.active
WHERE c.id = :id AND c.member_id = :member_id AND c.removed_at IS NULL

-- name: claim
INSERT INTO channel_notices (channel_id, cause_key, organization_id, state, lease_until)
VALUES (:id, :cause_key, :organization_id, 'sending', clock_timestamp() + CAST(:lease AS interval))
ON CONFLICT (channel_id, cause_key) DO UPDATE SET state = 'sending',
  lease_until = clock_timestamp() + CAST(:lease AS interval) RETURNING clock_timestamp() - created_at

-- name: earlier
SELECT state, lease_until > clock_timestamp() AS running FROM channel_notices
WHERE channel_id = :id AND cause_key = :cause_key

-- name: record
WITH ended AS (
  UPDATE channel_notices SET state = :state, lease_until = NULL WHERE channel_id = :id AND cause_key = :cause_key)
UPDATE notice_channels SET last_answer = :state, last_at = clock_timestamp() WHERE id = :id
