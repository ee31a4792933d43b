-- name: senders
SELECT s.id AS sequence_id, clock_timestamp() AS now, b.address, w.email AS owner_email, h.email AS mailbox_owner_email,
  b.id AS mailbox_id, b.status AS mailbox_status, b.status_reason, b.provider, b.scopes, b.connection_version, b.tenant_wide,
  h.id AS mailbox_owner_id, h.active AS mailbox_owner_active, h.activity_version AS mailbox_owner_version,
  w.id AS owner_id, w.active AS owner_active, w.activity_version AS owner_version, {grants} AS grants,
  (SELECT jsonb_build_object('id', g.id, 'version', g.version, 'grantee_id', g.grantee_id) FROM grants g
    WHERE g.mailbox_id = b.id AND g.archived_at IS NOT NULL AND (g.grantee_id = w.id OR g.grantee_id IS NULL)
    ORDER BY g.archived_at DESC LIMIT 1) AS ended_grant
FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id JOIN lanes l ON l.mailbox_id = b.id
LEFT JOIN members h ON h.id = b.owner_id JOIN members w ON w.id = s.owner_id WHERE s.id = ANY(:ids)

-- name: grants
(SELECT jsonb_agg(jsonb_build_object('id', g.id, 'version', g.version, 'grantee_id', g.grantee_id,
    'expires_at', g.expires_at, 'sequence_ids', g.sequence_ids, 'daily_limit', g.daily_limit, 'first_email', g.first_email,
    'used_today', CASE WHEN g.used_on = (clock_timestamp() AT TIME ZONE l.zone)::date THEN g.used_today ELSE 0 END)) FROM grants g
  WHERE g.mailbox_id = b.id AND g.archived_at IS NULL AND (g.grantee_id = s.owner_id OR g.grantee_id IS NULL))
