-- The members of an organization, for its owners and admins.

-- name: wanted
FROM members m WHERE m.organization_id = :organization_id AND m.active = CAST(:active AS boolean)
  AND (CAST(:role AS text) = '' OR m.role = CAST(:role AS text))
  AND (CAST(:box AS text) = '' OR CAST(:box AS text) = CASE WHEN EXISTS (SELECT FROM mailboxes x WHERE x.owner_id = m.id AND x.status = 'connected')
      THEN 'connected' WHEN EXISTS (SELECT FROM mailboxes x WHERE x.owner_id = m.id AND x.status = 'disconnected' AND x.status_reason NOT IN
      ('removed', 'disabled', 'member_deactivated')) THEN 'lost' ELSE 'none' END)
  AND (CAST(:search AS text) = '' OR strpos(lower(m.name || ' ' || m.email), lower(CAST(:search AS text))) > 0)

-- name: columns
m.id, m.name, m.email, m.role, m.active, m.deactivated_at, b.status AS mailbox_status, b.status_reason AS mailbox_reason,
(SELECT count(*) FROM sequences s WHERE s.owner_id = m.id AND s.kind = 'sequence' AND s.status <> 'archived') AS sequences,
(SELECT count(*) FROM grants g WHERE g.mailbox_owner_id = m.id AND g.archived_at IS NULL) AS given,
(SELECT count(*) FROM grants g WHERE g.grantee_id = m.id AND g.archived_at IS NULL) AS held,
(SELECT max(x.seen_at) FROM sessions x WHERE x.member_id = m.id) AS seen_at

-- name: mailbox
LEFT JOIN LATERAL (SELECT b.status, b.status_reason FROM mailboxes b WHERE b.owner_id = m.id
  ORDER BY b.status = 'connected' DESC, b.id LIMIT 1) b ON true

-- name: page
SELECT {columns} FROM (SELECT m.* {wanted}
    AND (CAST(:after AS text) = '' OR (lower(m.name), m.id) > (lower(CAST(:after AS text)), CAST(:after_id AS uuid)))
  ORDER BY lower(m.name), m.id LIMIT CAST(:limit AS int)) m {mailbox} ORDER BY lower(m.name), m.id

-- name: counts
SELECT count(*) FILTER (WHERE active) AS active, count(*) FILTER (WHERE NOT active) AS away FROM members
WHERE organization_id = :organization_id

-- name: one
SELECT {columns} FROM members m {mailbox} WHERE m.id = :id AND m.organization_id = :organization_id

-- name: result
SELECT id FROM withdrawals WHERE subject_id = :id AND action = 'member' ORDER BY created_at DESC LIMIT 1
