-- Members as an identity provider sees and changes them.

-- name: columns
m.id, coalesce(m.user_name, m.email) AS user_name, m.external_id, m.name, m.formatted_name, m.given_name, m.family_name, m.email, m.active

-- name: wanted
FROM members m WHERE m.organization_id = :organization_id AND m.deprovisioned_at IS NULL
  AND (CAST(:id AS uuid) IS NULL OR m.id = CAST(:id AS uuid))
  AND (CAST(:user_name AS text) IS NULL OR lower(coalesce(m.user_name, m.email)) = lower(CAST(:user_name AS text)))
  AND (CAST(:external_id AS text) IS NULL OR m.external_id = CAST(:external_id AS text))

-- name: page
SELECT {columns} {wanted} ORDER BY m.id LIMIT CAST(:limit AS int) OFFSET CAST(:offset AS bigint)

-- name: count
SELECT count(*) {wanted}

-- name: locked
SELECT {columns} FROM members m WHERE m.id = :id AND m.organization_id = :organization_id AND m.deprovisioned_at IS NULL FOR UPDATE

-- name: stake
SELECT m.account_id IS NOT NULL AS signed_in, m.role, EXISTS (SELECT FROM mailboxes b WHERE b.owner_id = m.id)
  OR EXISTS (SELECT FROM sequences s WHERE s.owner_id = m.id)
  OR EXISTS (SELECT FROM grants g WHERE (g.mailbox_owner_id = m.id OR g.grantee_id = m.id) AND g.archived_at IS NULL)
  OR EXISTS (SELECT FROM brought_in i WHERE i.member_id = m.id) AS owns
FROM members m WHERE m.id = :id

-- name: is_taken
-- Neither name may be any name of somebody else, so that a first sign-in by a name leads to one member alone.
SELECT EXISTS (SELECT FROM members m WHERE m.organization_id = :organization_id AND m.id IS DISTINCT FROM CAST(:id AS uuid)
    AND (m.email IN (:email, lower(:user_name)) OR lower(m.user_name) IN (:email, lower(:user_name))))
  OR EXISTS (SELECT FROM mailboxes b WHERE b.organization_id = :organization_id AND b.address IN (:email, lower(:user_name))
    AND (b.owner_id IS NULL OR b.owner_id IS DISTINCT FROM CAST(:id AS uuid)))

-- name: deleted
SELECT m.id FROM members m WHERE m.organization_id = :organization_id AND m.deprovisioned_at IS NOT NULL
  AND (m.email = :email OR lower(m.user_name) = lower(:user_name)) ORDER BY m.email = :email DESC LIMIT 1 FOR UPDATE

-- name: add
INSERT INTO members (id, organization_id, name, email, role, user_name, external_id, formatted_name, given_name, family_name, active, deactivated_at)
VALUES (:id, :organization_id, :name, :email, 'member', :user_name, :external_id, :formatted_name, :given_name, :family_name, :active,
  CASE WHEN NOT CAST(:active AS boolean) THEN clock_timestamp() END)
ON CONFLICT DO NOTHING RETURNING id

-- name: change
UPDATE members SET name = :name, email = :email, user_name = :user_name, external_id = :external_id, formatted_name = :formatted_name, given_name = :given_name,
  family_name = :family_name WHERE id = :id

-- name: remove
UPDATE members SET deprovisioned_at = clock_timestamp(), role = 'member' WHERE id = :id AND NOT active AND deprovisioned_at IS NULL
RETURNING id
