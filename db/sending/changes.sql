-- One planned email, as people change it by hand. The caller holds its lane.

-- name: email
SELECT d.id, d.organization_id, d.enrollment_id, e.candidate_id, d.sequence_id, d.step_id, d.mailbox_id, d.state, d.outcome, d.reason, d.held, d.due_at,
  d.not_before, d.send_started_at IS NOT NULL OR d.recalled_draft IS NOT NULL AS submitted,
  d.own_subject, d.own_body, t.subject AS step_subject, t.body AS step_body, t.position, t.kind AS step_kind, s.name AS sequence, s.kind, s.owner_id,
  s.status AS sequence_status, e.status AS enrollment_status, e.reason AS enrollment_reason, clock_timestamp() AS now,
  s.sending, o.sending AS organization_sending, o.time_zone, b.settings->'window' AS mailbox_sending,
  coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS person,
  suppressed(o.id, c.email) AS suppressed, coalesce(h.name, b.address) AS sender,
  (SELECT coalesce(jsonb_agg(jsonb_build_array(x.position, x.whole_delay) ORDER BY x.position), '[]') FROM steps x
    WHERE x.sequence_id = s.id AND x.retired_at IS NULL AND NOT x.id = ANY(e.passed)
    AND NOT EXISTS (SELECT FROM deliveries v WHERE v.enrollment_id = e.id AND v.step_id = x.id)) AS following
FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id
JOIN sequences s ON s.id = d.sequence_id JOIN steps t ON t.id = d.step_id JOIN mailboxes b ON b.id = d.mailbox_id
LEFT JOIN members h ON h.id = b.owner_id JOIN organizations o ON o.id = d.organization_id
WHERE d.id = :id

-- name: lock
SELECT 1 FROM deliveries WHERE id = :id FOR UPDATE

-- name: waits
-- Nobody has it: no worker, and no provider.
id = :id AND {changeable} AND send_started_at IS NULL AND recalled_draft IS NULL

-- name: plan
WITH changed AS (
  UPDATE deliveries SET due_at = :due_at, not_before = CAST(:not_before AS timestamptz), reason = CASE WHEN held THEN reason END
  WHERE {waits} RETURNING mailbox_id, held)
UPDATE lanes SET next_due_at = CASE WHEN changed.held THEN next_due_at ELSE least(coalesce(next_due_at, :due_at), :due_at) END
FROM changed WHERE lanes.mailbox_id = changed.mailbox_id

-- name: say
-- Whoever approved the former text has not read this one.
UPDATE deliveries SET own_subject = :subject, own_body = :body, approval = NULL WHERE {waits}

-- name: content
SELECT t.id AS step_id, t.position, t.version, coalesce(d.own_subject, t.subject) AS subject, coalesce(d.own_body, t.body) AS body,
  (SELECT coalesce(v.own_subject, x.subject) FROM steps x LEFT JOIN deliveries v ON v.step_id = x.id AND v.enrollment_id = d.enrollment_id
    WHERE x.sequence_id = t.sequence_id AND x.position < t.position AND x.subject IS NOT NULL AND x.retired_at IS NULL
    ORDER BY x.position DESC LIMIT 1) AS thread_subject, false AS sender_changed,
  c.email, c.first_name, c.last_name, c.company, c.title, c.location, c.fields, s.fields AS extra_fields,
  coalesce(h.name, w.name) AS sender_name, b.address AS sender, b.signature, b.signature_version, s.with_signature
FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id
JOIN sequences s ON s.id = d.sequence_id JOIN steps t ON t.id = d.step_id JOIN mailboxes b ON b.id = d.mailbox_id
LEFT JOIN members h ON h.id = b.owner_id JOIN members w ON w.id = s.owner_id WHERE d.id = :id
