-- name: close_lanes
-- One statement: on a busy machine, each round trip waits for a processor twice, and an email may pass the gate in between.
WITH locked AS MATERIALIZED (SELECT mailbox_id FROM lanes WHERE mailbox_id = ANY(:ids) ORDER BY mailbox_id FOR UPDATE),
closed AS (UPDATE lanes l SET epoch = epoch + 1 FROM locked WHERE l.mailbox_id = locked.mailbox_id RETURNING 1)
SELECT count(*) AS closed, clock_timestamp() AS now FROM closed

-- name: grant
SELECT g.*, b.address FROM grants g JOIN mailboxes b ON b.id = g.mailbox_id WHERE g.id = :id

-- name: expired_grant
SELECT g.*, b.address FROM grants g JOIN mailboxes b ON b.id = g.mailbox_id
WHERE g.archived_at IS NULL AND g.expires_at <= clock_timestamp() ORDER BY g.expires_at LIMIT 1

-- name: end_grant
WITH ended AS (
  UPDATE grants SET archived_at = clock_timestamp(), archived_reason = :reason
  WHERE id = :id AND archived_at IS NULL RETURNING id)
{audit_entry} FROM ended

-- name: archive_grants
UPDATE grants g SET archived_at = clock_timestamp(), archived_reason = :reason
WHERE g.archived_at IS NULL AND ({condition})

-- name: disconnect
UPDATE mailboxes SET status = 'disconnected', status_reason = :reason, disconnected_at = clock_timestamp(),
  refused_sending = NULL, tenant_wide = tenant_wide - 'lost_with'
WHERE id = ANY(:ids) AND status <> 'never_connected'
