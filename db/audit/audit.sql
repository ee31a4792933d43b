-- name: newest
SELECT a.at, o.name AS organization, a.actor_name AS actor,
  a.actor_kind || coalesce(':' || nullif(a.actor_id, ''), '') AS actor_id, a.action, a.subject, a.data, a.position FROM audit_entries a
JOIN organizations o ON o.id = a.organization_id
WHERE (CAST(:subject AS text) IS NULL OR a.subject = :subject) ORDER BY a.id DESC LIMIT :limit

-- name: receipts
SELECT r.*, a.data->>'receipt' AS signed FROM receipts r
LEFT JOIN audit_entries a ON a.action = 'email_sent' AND a.organization_id = r.organization_id
  AND a.subject = 'delivery:' || r.delivery_id
LEFT JOIN audit_chains c ON c.organization_id = r.organization_id WHERE r.organization_id = :id
  AND (a.id IS NOT NULL OR c.kept_from IS NULL OR r.accepted_at >= c.kept_from)
