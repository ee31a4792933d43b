-- What operators list and look at one by one. Read only.

-- name: enrollments
SELECT e.id, o.name AS organization, s.name AS sequence, c.email AS person, e.status, coalesce(e.reason, '') AS reason,
  (SELECT count(*) FROM deliveries d WHERE d.enrollment_id = e.id AND d.state = 'sent') AS sent,
  (SELECT min(d.due_at) FROM deliveries d WHERE d.enrollment_id = e.id AND d.state = 'pending' AND NOT d.held) AS next_due_at,
  e.created_at
FROM (
  SELECT x.* FROM enrollments x JOIN sequences y ON y.id = x.sequence_id
  WHERE y.kind = 'sequence' AND (CAST(:organization_id AS uuid) IS NULL OR x.organization_id = :organization_id)
    AND (CAST(:sequence_id AS uuid) IS NULL OR x.sequence_id = :sequence_id)
    AND (CAST(:status AS text) IS NULL OR x.status = :status)
  ORDER BY x.id DESC LIMIT :limit) e
JOIN organizations o ON o.id = e.organization_id JOIN sequences s ON s.id = e.sequence_id
JOIN candidates c ON c.id = e.candidate_id ORDER BY e.id DESC

-- name: people
SELECT c.id, o.name AS organization, c.email, {name} AS name, c.company,
  coalesce(suppressed(c.organization_id, c.email), '') AS suppressed, c.away_until,
  (SELECT count(*) FROM enrollments e WHERE e.candidate_id = c.id AND e.status IN ('active', 'paused')) AS sequences
FROM

-- name: wanted
SELECT x.* FROM candidates x WHERE x.erased_at IS NULL
  AND (CAST(:organization_id AS uuid) IS NULL OR x.organization_id = :organization_id)
  AND (:words = '' OR strpos(lower(concat_ws(' ', x.first_name, x.last_name, x.company, x.email)), lower(:words)) > 0)

-- name: candidates
{people} ({wanted} ORDER BY x.id DESC LIMIT :limit) c JOIN organizations o ON o.id = c.organization_id ORDER BY c.id DESC

-- name: candidates_by_name
{people} ({wanted} ORDER BY x.whole_name, x.email, x.id LIMIT :limit) c JOIN organizations o ON o.id = c.organization_id
ORDER BY c.whole_name, c.email, c.id

-- name: name
trim(c.first_name || ' ' || c.last_name)

-- name: candidate
SELECT c.id, o.name AS organization, c.email, {name} AS name, c.company, c.title, c.location, c.fields,
  coalesce(suppressed(c.organization_id, c.email), '') AS suppressed, c.away_until, c.unclear_until,
  c.created_at
FROM candidates c JOIN organizations o ON o.id = c.organization_id WHERE c.id = :id

-- name: places
SELECT e.id AS enrollment_id, s.name AS sequence, e.status, coalesce(e.reason, '') AS reason
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id WHERE e.candidate_id = :id ORDER BY e.id DESC LIMIT 100

-- name: mailbox
SELECT b.id, o.name AS organization, b.address, coalesce(m.email, '') AS owner, b.provider, b.status,
  coalesce(b.status_reason, '') AS reason, b.connected_at, b.disconnected_at, b.checked_at, b.connection_version,
  coalesce(array_to_string(b.scopes, ' '), '') AS scopes, l.open, l.zone, l.daily_cap,
  CASE WHEN l.sent_on = (now() AT TIME ZONE l.zone)::date THEN l.sent_today ELSE 0 END AS sent_today, l.next_due_at,
  l.retry_after_until, coalesce(l.wait_reason, '') AS wait_reason,
  (SELECT count(*) FROM grants g WHERE g.mailbox_id = b.id AND g.archived_at IS NULL) AS permissions,
  (SELECT coalesce(array_agg(s.name ORDER BY s.name), '{}') FROM sequences s
    WHERE s.mailbox_id = b.id AND s.kind = 'sequence' AND s.status <> 'archived') AS sequences
FROM mailboxes b JOIN organizations o ON o.id = b.organization_id LEFT JOIN members m ON m.id = b.owner_id
LEFT JOIN lanes l ON l.mailbox_id = b.id WHERE b.id = :id

-- name: member
SELECT m.id, m.organization_id, o.name AS organization, m.name, m.email, m.role, m.active, coalesce(t.name, '') AS legal_entity,
  (SELECT coalesce(array_agg(b.address ORDER BY b.address), '{}') FROM mailboxes b WHERE b.owner_id = m.id) AS mailboxes,
  (SELECT coalesce(array_agg(DISTINCT b.address ORDER BY b.address), '{}') FROM grants g JOIN mailboxes b ON b.id = g.mailbox_id
    WHERE g.archived_at IS NULL AND (g.grantee_id = m.id OR (g.grantee_id IS NULL AND g.organization_id = m.organization_id
      AND g.mailbox_owner_id <> m.id))) AS may_send_from,
  (SELECT coalesce(array_agg(s.name ORDER BY s.name), '{}') FROM sequences s
    WHERE s.owner_id = m.id AND s.kind = 'sequence' AND s.status <> 'archived') AS sequences
FROM members m JOIN organizations o ON o.id = m.organization_id LEFT JOIN legal_entities t ON t.id = m.legal_entity_id WHERE m.id = :id

-- name: organization
SELECT o.id, o.name, o.time_zone, o.sending, coalesce(o.tenant_id, '') AS tenant, o.recontact_days, o.stop_scope, o.away_days, o.unread_hours,
  (SELECT count(*) FROM members m WHERE m.organization_id = o.id AND m.active) AS members,
  (SELECT count(*) FROM mailboxes b WHERE b.organization_id = o.id) AS mailboxes,
  (SELECT count(*) FROM mailboxes b WHERE b.organization_id = o.id AND b.status = 'connected') AS connected,
  (SELECT count(*) FROM sequences s WHERE s.organization_id = o.id AND s.kind = 'sequence' AND s.status = 'active') AS active_sequences,
  (SELECT coalesce(array_agg(d.domain ORDER BY d.domain), '{}') FROM organization_domains d WHERE d.organization_id = o.id) AS domains
FROM organizations o WHERE o.id = :id
