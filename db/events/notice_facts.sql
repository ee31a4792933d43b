-- name: also
SELECT DISTINCT m.id FROM {whom} AND m.active

-- Whom: members who can fix the cause, and grantees who lost a permission.

-- name: mailbox_owner
mailboxes b JOIN members m ON m.id = b.owner_id WHERE b.id = CAST(:mailbox_id AS uuid)

-- name: mailbox_owners_of_organization
mailboxes b JOIN members m ON m.id = b.owner_id WHERE b.organization_id = CAST(:organization_id AS uuid) AND b.status = 'connected'

-- name: admins_of_sender_address
-- Of one that is disabled they hear as of every change to a sender address.
mailboxes b JOIN members m ON m.organization_id = b.organization_id AND m.role IN ('owner', 'admin')
WHERE b.id = CAST(:mailbox_id AS uuid) AND b.owner_id IS NULL
  AND CAST(:reason AS text) IS DISTINCT FROM 'disabled'

-- name: admins
members m WHERE m.organization_id = CAST(:organization_id AS uuid) AND m.role IN ('owner', 'admin')

-- name: mailbox_owners_of_tenant
mailboxes b JOIN members m ON m.id = b.owner_id WHERE b.organization_id = CAST(:organization_id AS uuid)
  AND b.tenant_wide->'lost_with' = to_jsonb(CAST(:tenant_version AS integer))

-- name: in_tenant
SELECT EXISTS (SELECT FROM mailboxes b WHERE b.owner_id = :recipient
  AND b.tenant_wide->'lost_with' = to_jsonb(CAST(:tenant_version AS integer)))

-- name: grantee
members m WHERE m.id = CAST(:grantee_id AS uuid) AND CAST(:grant_id AS uuid) IS NOT NULL

-- name: grantees_of_mailbox
grants g JOIN members m ON m.id = g.grantee_id WHERE g.mailbox_id = CAST(:mailbox_id AS uuid)
  AND g.archived_reason = 'mailbox_disconnected'
  AND g.archived_at BETWEEN CAST(:occurred_at AS timestamptz) - interval '1 minute'
    AND CAST(:occurred_at AS timestamptz) + interval '1 minute'

-- name: grantees_of_member
grants g JOIN members m ON m.id = g.grantee_id WHERE g.mailbox_owner_id = CAST(:member_id AS uuid)
  AND g.archived_reason = 'member_deactivated'

-- name: own_act
SELECT (:actor_id = m.id::text OR :actor_id = '' AND :actor = m.name AND NOT EXISTS (SELECT FROM members other
    WHERE other.organization_id = m.organization_id AND other.id <> m.id AND other.name = m.name))
  -- A sequence that started or paused long after the event is news even to the actor.
  AND NOT EXISTS (SELECT FROM pauses p JOIN sequences s ON s.id = p.sequence_id WHERE p.event_id = :event_id
    AND s.owner_id = m.id AND (s.created_at > :occurred_at OR p.created_at > :occurred_at + interval '10 minutes'))
FROM members m WHERE m.id = :id

-- name: mailbox
SELECT b.owner_id, b.id, b.provider, h.name AS mailbox_owner, m.role IN ('owner', 'admin') AS manages, o.time_zone FROM members m
JOIN organizations o ON o.id = m.organization_id
LEFT JOIN mailboxes b ON b.organization_id = o.id
  AND (b.id = CAST(:mailbox_id AS uuid) OR (CAST(:mailbox_id AS uuid) IS NULL AND b.address = :mailbox))
LEFT JOIN members h ON h.id = b.owner_id WHERE m.id = :recipient

-- name: touched
-- A sequence without open enrollments needs no notice.
SELECT s.id, s.name, w.name AS owner, {permitted} AS authorized,
  coalesce(p.people, (SELECT count(*) FROM deliveries d WHERE d.sequence_id = s.id
    AND d.state IN ('pending', 'queued', 'preparing', 'drafted') AND (NOT :of_sender OR NOT d.held
    AND d.due_at <= coalesce(CAST(:ends AS timestamptz), clock_timestamp() + interval '1 day')))) AS people
FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id JOIN members w ON w.id = s.owner_id
LEFT JOIN pauses p ON p.sequence_id = s.id AND p.event_id = :event_id
WHERE s.id = ANY(:ids) AND (NOT :pauses OR p.id IS NOT NULL)
  AND (:of_person OR EXISTS (SELECT FROM enrollments e WHERE e.sequence_id = s.id AND e.status IN ('active', 'paused')))
ORDER BY lower(s.name), s.id

-- name: people
SELECT coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS name, n.people FROM
  (SELECT e.candidate_id, count(*) OVER () AS people FROM {source}) n JOIN candidates c ON c.id = n.candidate_id
ORDER BY lower(c.last_name), c.email LIMIT 3

-- name: blocked
enrollments e WHERE e.sequence_id = CAST(:sequence_id AS uuid) AND e.status = 'paused'
  AND e.reason = :blocked

-- name: failed
deliveries d JOIN enrollments e ON e.id = d.enrollment_id WHERE d.sequence_id = CAST(:sequence_id AS uuid)
  AND d.state = 'closed' AND d.outcome = 'failed' AND d.reason = :failed

-- name: summarized
SELECT title AS name, count(*) OVER () AS people FROM notices
WHERE id = ANY(CAST(:notices AS uuid[])) AND channel = 'in_app' ORDER BY id

-- name: of_incident
SELECT s.id AS sequence_id, s.name AS sequence, coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''),
  c.email) AS person FROM deliveries d JOIN sequences s ON s.id = d.sequence_id
JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id
WHERE d.organization_id = :organization_id AND {concerned} ORDER BY d.sent_at, d.id

-- name: in_review
d.state = 'review' AND (d.id = CAST(:delivery_id AS uuid) OR (d.mailbox_id = CAST(:mailbox_id AS uuid)
  AND EXISTS (SELECT FROM events v WHERE v.organization_id = :organization_id
    AND v.cause_key = 'review:' || d.id || ':' || d.attempts AND v.payload->>'incident' = :incident)))

-- name: in_drafts
d.still_draft_at IS NOT NULL AND d.mailbox_id = CAST(:mailbox_id AS uuid)

-- name: grant
SELECT g.expires_at, g.daily_limit, l.zone, p.name AS person, g.given_by_kind = 'member' AS by_its_owner,
  (SELECT array_agg(s.name ORDER BY s.name) FROM sequences s WHERE s.id = ANY(g.sequence_ids)) AS names
FROM grants g JOIN lanes l ON l.mailbox_id = g.mailbox_id LEFT JOIN members p ON p.id = g.grantee_id WHERE g.id = :id
