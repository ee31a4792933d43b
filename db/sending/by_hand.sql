-- Emails written by hand: each is a sequence of one email to one person.

-- name: person
SELECT organization_id, email, suppressed(organization_id, email) AS suppressed, erased_at
FROM candidates WHERE id = :id AND organization_id = :organization_id

-- name: senders
-- What a member may write from, what they chose first, then their own: their mailbox, what colleagues let them send from, and the sender address
-- ``:shared`` that applies to them. A permission for named sequences covers no email written by hand.
SELECT b.id, b.address, coalesce(h.name, '') AS owner, b.owner_id = :member_id AS own, b.owner_id IS NULL AS shared, b.signature
FROM mailboxes b LEFT JOIN members h ON h.id = b.owner_id
WHERE b.organization_id = :organization_id AND b.status = 'connected' AND h.active IS NOT FALSE
  AND (b.owner_id IS NOT NULL OR b.id = CAST(:shared AS uuid)) AND {permitted}
ORDER BY {chosen_first}, b.owner_id = :member_id DESC NULLS LAST, b.owner_id IS NULL, b.address

-- name: thread
-- The newest email of ours and theirs in each mailbox, which an email written there would answer. Machines are not answered.
-- Times of receipt come in whole seconds, so what came in is later than what left in the same second.
SELECT DISTINCT ON (n.mailbox_id) n.mailbox_id, n.id, n.ours, n.subject FROM (
  SELECT d.mailbox_id, d.id, true AS ours, d.sent_at AS at,
    coalesce(d.own_subject, CASE WHEN y.former ? (d.authority->>'step_version') THEN y.former->(d.authority->>'step_version')->>'subject'
      ELSE y.subject END, (SELECT x.subject FROM steps x WHERE x.sequence_id = y.sequence_id AND x.position < y.position
        AND x.subject IS NOT NULL ORDER BY x.position DESC LIMIT 1), '') AS subject
  FROM enrollments e JOIN deliveries d ON d.enrollment_id = e.id AND d.state = 'sent' JOIN steps y ON y.id = d.step_id
  WHERE e.candidate_id = :candidate_id
  UNION ALL
  SELECT b.id, m.id, false, m.received_at + interval '1 second', m.subject FROM incoming_messages m
  JOIN mailboxes b ON b.id = m.mailbox_id
    OR (m.mailbox_id IS NULL AND b.organization_id = m.organization_id AND b.address = ANY(m.recipients))
  WHERE m.candidate_id = :candidate_id AND m.status = 'matched' AND m.message_id IS NOT NULL
    AND m.kind IN ('answer', 'unclear', 'opt_out', 'left_company', 'sender_wrote', 'other')) n
ORDER BY n.mailbox_id, n.at DESC

-- name: insert_sequence
INSERT INTO sequences (id, organization_id, owner_id, mailbox_id, name, status, kind, answers_delivery_id, answers_message_id,
  with_signature)
VALUES (:id, :organization_id, :owner_id, :mailbox_id, :name, 'active', 'by_hand', :delivery_id, :message_id, :with_signature)
ON CONFLICT (id) DO NOTHING RETURNING id

-- name: insert_email
WITH step AS (
  INSERT INTO steps (id, organization_id, sequence_id, position, delay, subject, body)
  VALUES (:step_id, :organization_id, :sequence_id, 1, 'PT0S', :subject, :body)),
place AS (
  INSERT INTO enrollments (id, organization_id, sequence_id, candidate_id)
  VALUES (:enrollment_id, :organization_id, :sequence_id, :candidate_id))
INSERT INTO deliveries (id, organization_id, enrollment_id, sequence_id, step_id, mailbox_id, due_at)
VALUES (:id, :organization_id, :enrollment_id, :sequence_id, :step_id, :mailbox_id, clock_timestamp()) RETURNING due_at

-- name: delivery
SELECT d.id FROM deliveries d WHERE d.sequence_id = :sequence_id ORDER BY d.created_at LIMIT 1

-- name: content
SELECT t.id AS step_id, t.position, t.version, t.subject, t.body, NULL::text AS thread_subject, false AS sender_changed,
  c.email, c.first_name, c.last_name, c.company, c.title, c.location, c.fields, s.fields AS extra_fields,
  coalesce(h.name, w.name) AS sender_name, b.address AS sender, b.signature, b.signature_version, s.with_signature
FROM sequences s JOIN steps t ON t.sequence_id = s.id JOIN enrollments e ON e.sequence_id = s.id
JOIN candidates c ON c.id = e.candidate_id JOIN mailboxes b ON b.id = s.mailbox_id LEFT JOIN members h ON h.id = b.owner_id
JOIN members w ON w.id = s.owner_id WHERE s.id = :sequence_id

-- name: answers
-- What such an email answers, while we know it. Ours are named in angle brackets, as sent; theirs without, as read.
WITH it AS (
  SELECT s.mailbox_id, e.candidate_id, v.correlation_id, v.draft_id, m.provider_id, m.mailbox_id AS read_in,
    coalesce(v.conversation_id, m.conversation_id) AS conversation_id, coalesce(v.sent_at, m.received_at + interval '1 second') AS at,
    coalesce(v.internet_message_id, '<' || m.message_id || '>') AS message_id
  FROM sequences s JOIN enrollments e ON e.sequence_id = s.id
  LEFT JOIN deliveries v ON v.id = s.answers_delivery_id AND v.mailbox_id = s.mailbox_id
  LEFT JOIN incoming_messages m ON m.id = s.answers_message_id
  WHERE s.id = :sequence_id AND (v.id IS NOT NULL OR m.id IS NOT NULL))
SELECT coalesce(it.correlation_id, '') AS correlation_id, coalesce(it.draft_id, '') AS draft_id,
  coalesce(it.message_id, '') AS internet_message_id,
  CASE WHEN it.read_in = it.mailbox_id THEN coalesce(it.provider_id, '') ELSE '' END AS item_id,
  ARRAY(SELECT x.message_id FROM (
    SELECT d.internet_message_id AS message_id, d.sent_at AS at, d.conversation_id FROM enrollments e
    JOIN deliveries d ON d.enrollment_id = e.id
    WHERE e.candidate_id = it.candidate_id AND d.mailbox_id = it.mailbox_id AND d.state = 'sent' AND d.internet_message_id <> ''
    UNION ALL
    SELECT '<' || i.message_id || '>', i.received_at + interval '1 second', i.conversation_id FROM incoming_messages i
    WHERE i.candidate_id = it.candidate_id AND i.message_id IS NOT NULL
      AND (i.mailbox_id = it.mailbox_id OR i.mailbox_id IS NULL)) x
    WHERE x.at <= it.at AND nullif(x.conversation_id, '') IS NOT DISTINCT FROM nullif(it.conversation_id, '')
    ORDER BY x.at) AS thread_ids
FROM it
