-- name: mailbox_of
SELECT b.id, b.address, b.status, b.status_reason, b.connected_at, b.disconnected_at, b.checked_at, b.provider, l.zone,
  l.daily_cap, CASE WHEN l.sent_on = (clock_timestamp() AT TIME ZONE l.zone)::date THEN l.sent_today ELSE 0 END AS sent_today,
  coalesce(b.refused_sending IS NOT NULL AND b.status_reason <> ALL(:cleared), false) AS only_a_test_helps,
  b.former_addresses[cardinality(b.former_addresses)] AS renamed_from, b.renamed_at
FROM mailboxes b JOIN lanes l ON l.mailbox_id = b.id JOIN members m ON m.id = b.owner_id
WHERE m.id = :id ORDER BY b.address <> m.email, b.id LIMIT 1

-- name: given
SELECT g.id, p.name AS person, g.given_at, (SELECT count(*) FROM sequences s WHERE s.mailbox_id = g.mailbox_id
    AND s.owner_id <> g.mailbox_owner_id AND {covers} AND s.status = 'active' AND s.kind = 'sequence') AS sequences,
  g.expires_at, g.daily_limit, {used_today} AS used_today, {names} AS names, l.zone, g.grantee_id AS person_id,
  {by_hand_of} AS by_hand_of, g.confirmed_at, {first_email} AS first_email
FROM grants g JOIN lanes l ON l.mailbox_id = g.mailbox_id LEFT JOIN members p ON p.id = g.grantee_id
WHERE g.mailbox_owner_id = :id AND {in_force} ORDER BY p.name NULLS FIRST

-- name: received
SELECT b.address, h.name AS mailbox_owner, b.status = 'connected' AS connected, g.grantee_id IS NULL AS for_everyone, g.given_at, g.expires_at, g.daily_limit,
  {names} AS names, l.zone, {used_today} AS used_today, {first_email} AS first_email
FROM grants g JOIN mailboxes b ON b.id = g.mailbox_id JOIN lanes l ON l.mailbox_id = b.id JOIN members h ON h.id = b.owner_id
JOIN members m ON m.organization_id = g.organization_id
WHERE m.id = :id AND {in_force} AND g.mailbox_owner_id <> m.id
  AND (g.grantee_id = m.id OR g.grantee_id IS NULL) ORDER BY b.address, g.grantee_id NULLS LAST

-- name: first_email
CASE WHEN g.first_email->>'by' IS NOT NULL THEN 'read' WHEN g.first_email IS NOT NULL THEN 'waits' END

-- name: names
(SELECT array_agg(s.name ORDER BY s.name) FROM sequences s WHERE s.id = ANY(g.sequence_ids))

-- name: used_today
CASE WHEN g.used_on = (clock_timestamp() AT TIME ZONE l.zone)::date THEN g.used_today ELSE 0 END

-- name: sequences_of_others
SELECT s.id, s.name, w.name AS owner FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id
JOIN members w ON w.id = s.owner_id
WHERE b.id = :id AND s.owner_id <> b.owner_id AND s.status <> 'archived' AND s.kind = 'sequence'
  AND (s.id = ANY(:chosen) OR strpos(lower(s.name || ' ' || w.name), lower(:named)) > 0)
ORDER BY s.id <> ALL(:chosen), lower(s.name), s.id LIMIT :limit

-- name: ended_with_mailbox
SELECT DISTINCT ON (g.grantee_id) g.grantee_id AS person_id, p.name AS person, g.archived_at AS ended_at FROM grants g
JOIN mailboxes b ON b.id = g.mailbox_id AND b.status = 'connected' LEFT JOIN members p ON p.id = g.grantee_id
WHERE g.mailbox_owner_id = :id AND g.archived_reason = 'mailbox_disconnected' AND p.active IS NOT false
  AND NOT EXISTS (SELECT FROM grants later WHERE later.mailbox_id = g.mailbox_id AND later.given_at > g.archived_at
    AND later.grantee_id IS NOT DISTINCT FROM g.grantee_id)
ORDER BY g.grantee_id, g.archived_at DESC LIMIT 50

-- name: find_colleague
SELECT p.id, p.name, p.email FROM members p JOIN members m ON m.organization_id = p.organization_id
WHERE m.id = :id AND p.id <> m.id AND p.active
  AND (p.email = lower(:said) OR strpos(lower(p.name || ' ' || p.email), lower(:said)) > 0)
ORDER BY p.email <> lower(:said), lower(p.name) <> lower(:said), lower(p.name), p.email LIMIT 10
