-- name: situation
-- An email that was submitted before a hand-over stays with the mailbox from which it may have left.
SELECT e.status, e.reason, e.sequence_id, c.email, s.name AS sequence, s.status AS sequence_status, s.paused_reason,
  s.paused_at, b.address, d.id AS delivery_id, d.state, d.outcome,
  d.reason AS delivery_reason, d.held, d.due_at, d.sent_at, d.attempts, t.position, w.email AS owner,
  l.retry_after_until, l.wait_reason, {lost_key} AS lost_key, l.zone, b.provider, d.still_draft_at, clock_timestamp() AS now, suppressed(e.organization_id, c.email) AS suppressed,
  hold_of(b.organization_id, b.id) AS hold, k.position AS stuck_step, k.address AS stuck_in,
  (SELECT count(*) FROM deliveries x WHERE x.mailbox_id = d.mailbox_id AND d.state = 'pending' AND d.due_at <= clock_timestamp()
    AND (x.state IN ('queued', 'preparing', 'drafted', 'sending')
      OR (x.state = 'pending' AND NOT x.held AND (x.due_at, x.id) < (d.due_at, d.id)))) AS before,
  d.grace_until,
  (SELECT count(*) FROM deliveries x WHERE x.enrollment_id = e.id AND x.state = 'sent') AS sent,
  (SELECT max(x.sent_at) FROM deliveries x WHERE x.enrollment_id = e.id) AS last_sent
FROM enrollments e JOIN candidates c ON c.id = e.candidate_id JOIN sequences s ON s.id = e.sequence_id
LEFT JOIN LATERAL (SELECT x.* FROM deliveries x
  WHERE x.enrollment_id = e.id ORDER BY x.created_at DESC LIMIT 1) d ON true
JOIN mailboxes b ON b.id = coalesce(d.mailbox_id, s.mailbox_id) JOIN lanes l ON l.mailbox_id = b.id
JOIN members w ON w.id = s.owner_id LEFT JOIN steps t ON t.id = d.step_id
LEFT JOIN LATERAL (SELECT y.position, m.address FROM deliveries x JOIN steps y ON y.id = x.step_id
  JOIN mailboxes m ON m.id = x.mailbox_id WHERE x.enrollment_id = e.id AND x.still_draft_at IS NOT NULL
  ORDER BY y.position DESC LIMIT 1) k ON true
WHERE e.id = :id

-- name: lost_key
-- The key of the mailbox's sign-in, if no worker that sends has it; NULL too where none of them runs or has ever reported.
(SELECT q.key_id FROM (
    SELECT c.key_id FROM credentials c WHERE c.mailbox_id = b.id AND b.provider IN ('graph', 'gmail', 'microsoft_smtp')
    UNION ALL SELECT x.key_id FROM smtp_settings x WHERE x.mailbox_id = b.id AND x.provider = b.provider) q
  WHERE (SELECT NOT bool_or(q.key_id = ANY(p.key_ids)) FROM processes p WHERE 'send' = ANY(p.queues)
    AND p.stopped_at IS NULL AND p.seen_at > clock_timestamp() - CAST(:silent AS interval)) LIMIT 1)

-- name: receipt
SELECT r.*, d.still_draft_at, w.email AS owner, s.name AS sequence, t.position AS step,
  g.given_at AS grant_given_at, h.email AS granted_by, g.given_by_kind AS grant_given_by_kind,
  g.given_by AS grant_given_by, {by_hand_of} AS grant_by_hand_of, g.confirmed_at AS grant_confirmed_at FROM receipts r
JOIN members w ON w.id = r.owner_id JOIN deliveries d ON d.id = r.delivery_id
JOIN sequences s ON s.id = d.sequence_id JOIN steps t ON t.id = d.step_id
LEFT JOIN grants g ON g.id = r.grant_id LEFT JOIN members h ON h.id = g.mailbox_owner_id
WHERE r.delivery_id = :id

-- name: sequences
SELECT s.id, o.name AS organization, s.name, s.status, coalesce(s.paused_reason, '') AS reason, w.email AS owner,
  b.address AS sender, (SELECT count(*) FROM enrollments e WHERE e.sequence_id = s.id) AS people,
  (SELECT count(*) FROM deliveries d WHERE d.sequence_id = s.id AND d.state = 'sent') AS sent,
  (SELECT count(*) FROM deliveries d WHERE d.sequence_id = s.id AND d.state = 'pending') AS waiting
FROM sequences s JOIN organizations o ON o.id = s.organization_id JOIN members w ON w.id = s.owner_id
JOIN mailboxes b ON b.id = s.mailbox_id WHERE s.kind = 'sequence' ORDER BY o.name, s.name

-- name: mailboxes
SELECT b.id, o.name AS organization, b.address, m.email AS owner, b.status, coalesce(b.status_reason, '') AS reason,
  b.connection_version, array_to_string(b.scopes, ' ') AS scopes
FROM mailboxes b JOIN organizations o ON o.id = b.organization_id LEFT JOIN members m ON m.id = b.owner_id
ORDER BY o.name, b.address

-- name: members
SELECT m.id, o.name AS organization, m.name, m.email, m.role, m.active
FROM members m JOIN organizations o ON o.id = m.organization_id
ORDER BY o.name, m.email

-- name: api_keys
SELECT o.name AS organization, k.name, array_to_string(k.scopes, ' ') AS scopes, k.created_at, k.used_at, k.expires_at, k.revoked_at
FROM api_keys k JOIN organizations o ON o.id = k.organization_id
ORDER BY o.name, k.revoked_at NULLS FIRST, k.name

-- name: requests
SELECT r.id, m.email AS asked_by, b.address AS mailbox, r.words, r.status, r.created_at, r.settled_at
FROM grant_requests r JOIN members m ON m.id = r.requester_id JOIN mailboxes b ON b.id = r.mailbox_id
ORDER BY r.settled_at NULLS FIRST, r.created_at

-- name: grants
SELECT g.id, b.address AS mailbox, coalesce(e.email, 'everyone') AS given_to, r.email AS mailbox_owner,
  g.given_by_kind, coalesce(nullif(g.given_by, ''), r.email) AS given_by, g.confirmed_at, g.version, g.given_at,
  g.expires_at, g.daily_limit, CASE WHEN g.first_email->>'by' IS NOT NULL THEN 'read' WHEN g.first_email IS NOT NULL THEN 'waits' END AS first_email,
  (SELECT string_agg(s.name, ', ' ORDER BY s.name) FROM sequences s WHERE s.id = ANY(g.sequence_ids)) AS only_for,
  g.archived_at, coalesce(g.archived_reason, '') AS archived_reason
FROM grants g JOIN mailboxes b ON b.id = g.mailbox_id JOIN members r ON r.id = g.mailbox_owner_id
LEFT JOIN members e ON e.id = g.grantee_id ORDER BY g.archived_at NULLS FIRST, b.address
