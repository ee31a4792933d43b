-- What a worker reads of one delivery: everything the gate checks and everything the email consists of, in one row.

-- name: claim
WITH held AS (
  UPDATE deliveries SET {take}, lease_token = :token, lease_until = clock_timestamp() + :lease, attempts = attempts + 1,
    correlation_id = coalesce(correlation_id, :correlation_id)
  WHERE id = :id AND {queued} AND dispatch_no = :dispatch_no RETURNING *),
{facts}
LEFT JOIN credentials k ON k.mailbox_id = d.mailbox_id AND k.refresh_token IS NOT NULL

-- name: load
WITH held AS (SELECT * FROM deliveries WHERE id = :id AND lease_token = :token),
{facts}

-- name: facts
-- One person's emails in one sequence, and those already sent, each with the subject it had then: since then a step may have
-- been reworded or moved. OFFSET 0 keeps the planner from turning these few rows, or the one lane below, into a scan of all
-- emails or lanes. It did that whenever its statistics were poor.
theirs AS (SELECT v.* FROM held d, LATERAL (SELECT * FROM deliveries WHERE enrollment_id = d.enrollment_id OFFSET 0) v),
had AS (SELECT v.*,
  CASE WHEN y.former ? (v.authority->>'step_version') THEN y.former->(v.authority->>'step_version')->>'subject' ELSE y.subject END AS subject
  FROM theirs v JOIN steps y ON y.id = v.step_id WHERE v.state = 'sent')
SELECT clock_timestamp() AS now, d.id AS delivery_id, d.organization_id, d.enrollment_id, d.sequence_id, d.mailbox_id,
  d.lease_token, d.attempts, d.failures, d.releases, d.first_failed_at, d.correlation_id, d.draft_id, d.recalled_draft, d.internet_message_id,
  d.conversation_id, d.send_started_at, d.due_at,
  b.address AS sender, b.status AS mailbox_status, b.status_reason, b.provider, b.scopes, b.connection_version, b.settings, b.settings_at,
  h.id AS mailbox_owner_id, h.active AS mailbox_owner_active, h.activity_version AS mailbox_owner_version,
  w.id AS owner_id, w.active AS owner_active, w.activity_version AS owner_version,
  coalesce(h.name, w.name) AS sender_name,
  s.status AS sequence_status, s.sending AS sequence_sending, s.fields AS extra_fields, o.sending AS organization_sending,
  e.status AS enrollment_status, p.reason AS suppressed,
  t.id AS step_id, t.retired_at IS NOT NULL AS step_removed, t.position, t.version, t.subject, t.body,
  c.email, c.first_name, c.last_name, c.company, c.title, c.location, c.fields,
  ((l.today + 1)::timestamp AT TIME ZONE l.zone) AS tomorrow,
  (SELECT jsonb_agg(jsonb_build_object('id', g.id, 'version', g.version, 'grantee_id', g.grantee_id,
      'expires_at', g.expires_at, 'sequence_ids', g.sequence_ids, 'daily_limit', g.daily_limit,
      'used_today', CASE WHEN g.used_on = l.today THEN g.used_today ELSE 0 END)) FROM grants g
    WHERE g.mailbox_id = b.id AND g.archived_at IS NULL AND (g.grantee_id = w.id OR g.grantee_id IS NULL)) AS grants,
  (SELECT jsonb_build_object('id', g.id, 'version', g.version, 'grantee_id', g.grantee_id) FROM grants g
    WHERE g.mailbox_id = b.id AND g.archived_at IS NOT NULL AND (g.grantee_id = w.id OR g.grantee_id IS NULL)
    ORDER BY g.archived_at DESC LIMIT 1) AS ended_grant,
  NOT EXISTS (SELECT FROM theirs v WHERE v.created_at < d.created_at AND v.state NOT IN ('sent', 'closed')) AS previous_sent,
  {access}, r.correlation_id AS previous_correlation_id, r.draft_id AS previous_draft_id,
  r.internet_message_id AS previous_message_id, r.mailbox_id <> d.mailbox_id AS sender_changed,
  r.still_draft_at AS previous_still_draft,
  ARRAY(SELECT internet_message_id FROM had WHERE internet_message_id <> '' AND mailbox_id = d.mailbox_id
    AND sent_at >= coalesce((SELECT max(sent_at) FROM had WHERE subject IS NOT NULL), '-infinity') ORDER BY sent_at) AS thread_ids,
  coalesce((SELECT subject FROM had WHERE subject IS NOT NULL ORDER BY sent_at DESC LIMIT 1),
    (SELECT x.subject FROM steps x WHERE x.sequence_id = t.sequence_id AND x.position < t.position
      AND x.subject IS NOT NULL AND x.retired_at IS NULL ORDER BY x.position DESC LIMIT 1)) AS thread_subject
FROM held d
JOIN enrollments e ON e.id = d.enrollment_id
JOIN candidates c ON c.id = e.candidate_id
JOIN sequences s ON s.id = d.sequence_id
JOIN steps t ON t.id = d.step_id
JOIN mailboxes b ON b.id = d.mailbox_id
JOIN LATERAL (SELECT zone, (clock_timestamp() AT TIME ZONE zone)::date AS today FROM lanes
  WHERE mailbox_id = d.mailbox_id OFFSET 0) l ON true
LEFT JOIN members h ON h.id = b.owner_id
JOIN members w ON w.id = s.owner_id
JOIN organizations o ON o.id = d.organization_id
LEFT JOIN (SELECT * FROM had ORDER BY sent_at DESC LIMIT 1) r ON true
LEFT JOIN suppressions p ON p.organization_id = d.organization_id AND p.email = c.email
