-- Erasing one person: everything that says who they are or what was written goes. Ids, counts and times stay, for the audit trail.

-- name: person
SELECT id, organization_id, email, coalesce(nullif(trim(first_name || ' ' || last_name), ''), email) AS name
FROM candidates WHERE id = :id AND organization_id = :organization_id AND erased_at IS NULL

-- name: by_address
SELECT id FROM candidates WHERE email = :email AND erased_at IS NULL AND organization_id = :organization_id

-- name: theirs
(SELECT id FROM enrollments WHERE candidate_id = :id)

-- name: about_them
organization_id = :organization_id AND (candidate_id = :id OR (candidate_id IS NULL AND sender = :email) OR bounce_recipient = :email)

-- name: known
SELECT (SELECT count(*) FROM enrollments WHERE candidate_id = :id AND status IN ('active', 'paused')) AS sequences,
  (SELECT count(*) FROM deliveries WHERE enrollment_id IN {theirs} AND state IN ('sent', 'in_doubt', 'review')) AS sent,
  (SELECT count(*) FROM deliveries WHERE enrollment_id IN {theirs}
    AND state IN ('pending', 'queued', 'preparing', 'drafted', 'sending')) AS waiting,
  (SELECT count(*) FROM deliveries WHERE enrollment_id IN {theirs} AND draft_id IS NOT NULL
    AND state IN ('pending', 'queued', 'preparing', 'drafted')) AS drafts,
  (SELECT count(*) FROM incoming_messages WHERE {about_them}) AS messages,
  (SELECT count(*) FROM incoming_files f JOIN incoming_messages m ON m.id = f.incoming_message_id WHERE m.candidate_id = :id) AS files,
  (SELECT count(*) FROM enrollments e JOIN sequences s ON s.id = e.sequence_id WHERE e.candidate_id = :id AND s.kind = 'by_hand') AS by_hand

-- name: drafts
SELECT id FROM deliveries WHERE enrollment_id IN {theirs} AND draft_id IS NOT NULL
  AND state IN ('pending', 'queued', 'preparing', 'drafted')

-- name: messages
DELETE FROM incoming_messages WHERE {about_them}

-- name: copies
UPDATE incoming_messages SET recipients = array_remove(recipients, :email)
WHERE organization_id = :organization_id AND :email = ANY(recipients)

-- name: letters
UPDATE steps t SET subject = 'Erased', body = 'Erased.', former = '{}' FROM sequences s, enrollments e
WHERE t.sequence_id = s.id AND s.kind = 'by_hand' AND e.sequence_id = s.id AND e.candidate_id = :id

-- name: own_texts
UPDATE deliveries SET own_subject = NULL, own_body = NULL WHERE enrollment_id IN {theirs} AND own_body IS NOT NULL

-- name: deliveries
-- What is in doubt keeps the ids by which we look for it. Of all others they go: a mailbox is read again from some minutes before,
-- and would bring them, and what came in, back.
UPDATE deliveries SET internet_message_id = NULL, conversation_id = NULL, correlation_id = NULL, draft_id = NULL,
  recalled_draft = NULL, left_check_at = NULL, still_draft_at = NULL, sent_to = NULL
WHERE enrollment_id IN {theirs} AND state IN ('sent', 'closed')

-- name: notices
UPDATE notices SET title = regexp_replace(replace(title, :email, 'an erased address'), :named, 'an erased person', 'g'),
  body = regexp_replace(replace(body, :email, 'an erased address'), :named, 'an erased person', 'g')
WHERE organization_id = :organization_id AND (strpos(title || body, :email) > 0 OR title || body ~ :named)

-- name: page_results
DELETE FROM page_results WHERE organization_id = :organization_id
  AND (strpos(content::text, :email) > 0 OR content::text ~ :named)

-- name: brought_in
DELETE FROM brought_in WHERE candidate_id = :id

-- name: candidate
UPDATE candidates SET email = id || '@erased.invalid', first_name = '', last_name = '', company = '', title = '', location = '',
  fields = '{}', away_until = NULL, away_since = NULL, away_message_id = NULL, unclear_until = NULL, erased_at = clock_timestamp()
WHERE id = :id RETURNING erased_at
