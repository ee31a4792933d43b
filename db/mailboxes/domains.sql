-- name: asked_at_microsoft
SELECT b.id, o.tenant_id FROM mailboxes b JOIN organizations o ON o.id = b.organization_id
WHERE o.id = :id AND b.provider = 'graph' AND b.status = 'connected' AND lower(b.tenant_id) = lower(o.tenant_id)
ORDER BY b.checked_at DESC NULLS LAST LIMIT 1
