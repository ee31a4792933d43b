-- name: login
SELECT current_user::text AS name, r.rolsuper AS superuser, pg_has_role(current_user, 'onbehalf_tenant', 'MEMBER') AS tenant,
  (SELECT pg_get_userbyid(relowner)::text FROM pg_class WHERE oid = to_regclass('deliveries')) AS owner,
  has_schema_privilege('public', 'public', 'CREATE') AS anybody_makes
FROM pg_roles r WHERE r.rolname = current_user

-- name: absent_roles
SELECT w.name FROM unnest(CAST(:names AS text[])) AS w (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = w.name) ORDER BY w.name

-- name: default_addresses
SELECT count(*) FROM mailboxes WHERE provider = 'default' AND status = 'connected'
