-- name: connect
INSERT INTO tenant_connections (organization_id, tenant_id, status, connected_by) VALUES (:id, :tenant_id, 'connected', :by)
ON CONFLICT (organization_id) DO UPDATE SET tenant_id = :tenant_id, status = 'connected', reason = NULL, code = NULL,
  connected_by = :by, connected_at = clock_timestamp(), ended_at = NULL

-- name: recover
UPDATE tenant_connections SET status = 'connected', reason = NULL, code = NULL, ended_at = NULL
WHERE organization_id = :id AND status = 'lost'

-- name: end
UPDATE tenant_connections SET status = :status, reason = :reason, code = :code, ended_at = clock_timestamp(), version = version + 1
WHERE organization_id = :id AND (status = 'connected' OR (status = 'lost' AND :status = 'disconnected')) RETURNING version

-- name: users
-- Whose mailbox it is, for as long as we may use it: until it is removed, and then for as long as its drafts are being recalled.
-- Only in the tenant that operators have named for its organization, whatever else says the row.
SELECT b.tenant_id, b.account_id, b.address FROM mailboxes b
JOIN organizations o ON o.id = b.organization_id AND lower(o.tenant_id) = lower(b.tenant_id)
WHERE b.id = :id AND b.provider = 'microsoft_tenant' AND b.account_id IS NOT NULL
  AND (b.status = 'connected' OR b.status_reason NOT IN ('removed', 'disabled')
    OR b.disconnected_at > clock_timestamp() - CAST(:lasts AS interval))

-- name: user_to_try
-- Somebody who has signed in here, so that no other account of the tenant can be asked about.
SELECT o.tenant_id, m.account_id, m.email AS address FROM members m JOIN organizations o ON o.id = m.organization_id
WHERE o.id = :id AND m.active AND m.account_id IS NOT NULL AND (:address = '' OR m.email = :address)
ORDER BY m.id IS NOT DISTINCT FROM CAST(:member AS uuid) DESC, m.id LIMIT 1

-- name: of_organization
SELECT t.organization_id, t.tenant_id, t.status, t.reason, t.code, t.version, t.connected_by, t.connected_at, t.ended_at,
  (SELECT count(*) FROM mailboxes b WHERE b.organization_id = t.organization_id AND b.provider = 'microsoft_tenant'
    AND b.status = 'connected') AS mailboxes
FROM tenant_connections t WHERE t.organization_id = :id

-- name: identity_of
SELECT m.organization_id, m.name, m.email, m.account_id, o.tenant_id, o.name AS organization
FROM members m JOIN organizations o ON o.id = m.organization_id WHERE m.id = :id AND m.active

-- name: lost
SELECT b.id, b.address FROM mailboxes b WHERE b.organization_id = :id AND b.provider = 'microsoft_tenant'
  AND b.status = 'disconnected' AND b.tenant_wide ? 'lost_with' AND b.status_reason NOT IN ('removed', 'disabled') ORDER BY b.id
