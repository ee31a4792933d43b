-- name: lose
UPDATE mailboxes SET status = 'disconnected', status_reason = :reason, disconnected_at = clock_timestamp(),
  refused_sending = CAST(:refused AS text), tenant_wide = tenant_wide - 'lost_with'
WHERE id = :id AND status = 'connected' AND connection_version = :version RETURNING *

-- name: in_tenant
SELECT id FROM mailboxes WHERE organization_id = :id AND provider = 'microsoft_tenant' AND (status = 'connected'
  OR (:removed AND status = 'disconnected' AND status_reason NOT IN ('removed', 'disabled'))) ORDER BY id

-- name: end_with_tenant
-- Under the lanes' locks: its owner may have removed it meanwhile.
UPDATE mailboxes SET status = 'disconnected', status_reason = :reason, disconnected_at = clock_timestamp(),
  refused_sending = NULL, tenant_wide = coalesce(tenant_wide, '{}') || jsonb_build_object('lost_with', CAST(:version AS integer))
WHERE id = ANY(:ids) AND provider = 'microsoft_tenant' AND (status = 'connected'
  OR (:removed AND status = 'disconnected' AND status_reason NOT IN ('removed', 'disabled'))) RETURNING id

-- name: archive_grants
UPDATE grants SET archived_at = clock_timestamp(), archived_reason = 'mailbox_disconnected'
WHERE archived_at IS NULL AND mailbox_id = ANY(:ids)
