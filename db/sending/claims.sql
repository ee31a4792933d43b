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

-- name: present
WITH held AS (SELECT * FROM deliveries WHERE id = :id),
{facts}

-- name: facts
-- One person's emails in one sequence, and those already sent, each with the subject it had then: since then a step may have
-- been reworded or moved. OFFSET 0 keeps the planner from turning these few rows, or the one lane below, into a scan of all
-- emails or lanes. It did that whenever its statistics were poor.
theirs AS (SELECT v.* FROM held d, LATERAL (SELECT * FROM deliveries WHERE enrollment_id = d.enrollment_id OFFSET 0) v),
had AS (SELECT v.*,
  coalesce(own_subject, coalesce(former->(authority->>'step_version'), jsonb_build_object('subject', y.subject))->>'subject') AS subject
  FROM theirs v JOIN steps y ON y.id = step_id WHERE state = 'sent')
SELECT clock_timestamp() AS now, d.id AS delivery_id, d.organization_id, d.enrollment_id, candidate_id, d.sequence_id, d.mailbox_id,
  d.lease_token, d.attempts, d.failures, d.releases, d.first_failed_at, d.correlation_id, d.draft_id, d.recalled_draft, d.internet_message_id,
  d.conversation_id, d.send_started_at, d.due_at, d.not_before, d.own_body IS NOT NULL AS own_text, d.approval,
  b.address AS sender, b.status AS mailbox_status, status_reason, provider, scopes, connection_version, tenant_wide, settings, settings_at,
  h.id AS mailbox_owner_id, h.active AS mailbox_owner_active, h.activity_version AS mailbox_owner_version,
  w.id AS owner_id, w.active AS owner_active, w.activity_version AS owner_version,
  coalesce(h.name, w.name) AS sender_name, signature, signature_version, with_signature,
  s.status AS sequence_status, s.sending AS sequence_sending, s.kind, s.fields AS extra_fields, o.sending AS organization_sending,
  handed_over, s.mailbox_id AS sequence_mailbox_id,
  coalesce(s.opt_out_line, o.opt_out_line) AS opt_out_line,
  e.status AS enrollment_status, suppressed(o.id, c.email) AS suppressed, hold_of(o.id, b.id) AS hold,
  d.step_id, t.kind AS step_kind, t.retired_at IS NOT NULL AS step_removed, t.position, t.version,
  coalesce(d.own_subject, t.subject) AS subject, coalesce(d.own_body, t.body) AS body,
  away_until, unclear_until, c.email, first_name, last_name, company, title, location, c.fields,
  (today + 1)::timestamp AT TIME ZONE zone AS tomorrow,
  (SELECT jsonb_agg(g) FROM (SELECT id, version, grantee_id, expires_at, sequence_ids, daily_limit, first_email,
      CASE WHEN used_on = today THEN used_today ELSE 0 END AS used_today FROM grants
    WHERE mailbox_id = b.id AND archived_at IS NULL AND coalesce(grantee_id, w.id) = w.id) g) AS grants,
  (SELECT to_jsonb(g) FROM grants g
    WHERE mailbox_id = b.id AND archived_at IS NOT NULL AND coalesce(grantee_id, w.id) = w.id
    ORDER BY archived_at DESC LIMIT 1) AS ended_grant,
  NOT EXISTS (SELECT FROM theirs WHERE created_at < d.created_at AND state NOT IN ('sent', 'closed')) AS previous_sent,
  {access}, r.correlation_id AS previous_correlation_id, r.draft_id AS previous_draft_id,
  r.internet_message_id AS previous_message_id, r.mailbox_id <> b.id AS sender_changed,
  r.still_draft_at, r.left_check_at, r.conversation_id AS previous_thread,
  ARRAY(SELECT internet_message_id FROM had WHERE internet_message_id <> '' AND mailbox_id = b.id
    AND sent_at >= coalesce((SELECT max(sent_at) FROM had WHERE subject IS NOT NULL), '-infinity') ORDER BY sent_at) AS thread_ids,
  coalesce((SELECT subject FROM had WHERE subject IS NOT NULL ORDER BY sent_at DESC LIMIT 1),
    (SELECT subject FROM steps WHERE sequence_id = s.id AND position < t.position
      AND subject IS NOT NULL AND retired_at IS NULL ORDER BY position DESC LIMIT 1)) AS thread_subject
FROM held d
JOIN enrollments e ON e.id = d.enrollment_id
JOIN candidates c ON c.id = e.candidate_id
JOIN sequences s ON s.id = d.sequence_id
JOIN steps t ON t.id = d.step_id
JOIN mailboxes b ON b.id = d.mailbox_id
CROSS JOIN LATERAL (SELECT zone, (clock_timestamp() AT TIME ZONE zone)::date AS today FROM lanes
  WHERE mailbox_id = b.id OFFSET 0) l
LEFT JOIN members h ON h.id = b.owner_id
JOIN members w ON w.id = s.owner_id
JOIN organizations o ON o.id = d.organization_id
LEFT JOIN (SELECT * FROM had ORDER BY sent_at DESC LIMIT 1) r ON true
