-- name: open
WITH opened AS (INSERT INTO sessions (token_hash, organization_id, member_id, browser, refresh_token)
  SELECT :hash, organization_id, id, :browser, :refresh_token FROM members WHERE id = :id RETURNING member_id)
SELECT m.organization_id, m.name FROM members m JOIN opened ON opened.member_id = m.id

-- name: session
SELECT s.id AS session_id, s.created_at > clock_timestamp() - :fresh AS fresh,
  s.seen_at < clock_timestamp() - :touch AS rested, m.id, m.organization_id, m.name, m.email,
  m.role, o.name AS organization FROM sessions s JOIN members m ON m.id = s.member_id
JOIN organizations o ON o.id = m.organization_id WHERE s.token_hash = :hash AND m.active
  AND s.seen_at > clock_timestamp() - :idle AND s.created_at > clock_timestamp() - :longest

-- name: owner_of_account
SELECT m.id FROM mailboxes b JOIN members m ON m.id = b.owner_id WHERE b.id = :id AND b.connection_version = :version
  AND (m.account_id IS NULL OR nullif(b.account_id, '') IS NULL OR m.account_id = b.account_id)

-- name: member
SELECT m.id, m.account_id FROM members m JOIN organizations o ON o.id = m.organization_id
WHERE o.tenant_id = :tenant AND m.active
  AND (m.account_id = :account OR (m.account_id IS NULL AND (m.email = ANY(:names) OR lower(m.user_name) = ANY(:names))))
ORDER BY m.account_id NULLS LAST, array_position(CAST(:names AS text[]), m.email),
  array_position(CAST(:names AS text[]), lower(m.user_name)) LIMIT 1 FOR UPDATE OF m
