-- name: holds
-- For the same account, of a member who has not left since.
EXISTS (SELECT FROM operators x WHERE x.member_id = m.id AND x.account_id = m.account_id
  AND x.activity_version = m.activity_version AND m.active)

-- name: member
SELECT m.organization_id, m.name, m.active, m.account_id, {holds} AS holds FROM members m WHERE m.id = :id FOR UPDATE

-- name: add
INSERT INTO operators (member_id, organization_id, account_id, activity_version)
SELECT id, organization_id, account_id, activity_version FROM members WHERE id = :id
ON CONFLICT (member_id) DO UPDATE SET account_id = excluded.account_id, activity_version = excluded.activity_version,
  added_at = clock_timestamp()

-- name: everyone
SELECT m.id AS member_id, g.name AS organization, m.name, m.email, p.added_at, {holds} AS holds
FROM operators p JOIN members m ON m.id = p.member_id JOIN organizations g ON g.id = m.organization_id ORDER BY g.name, m.email
