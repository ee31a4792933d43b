-- Mail that came to a default address, once it is read.

-- name: sender_addresses
SELECT id, address FROM mailboxes WHERE organization_id = :id AND owner_id IS NULL ORDER BY provider = 'default' DESC

-- name: candidate
SELECT id FROM candidates WHERE organization_id = :organization_id AND email = :email

-- name: insert
INSERT INTO incoming_messages (id, organization_id, digest, message_id, conversation_id, sender, sender_name, recipients, subject,
  received_at, kind, matched_by, why, delivery_id, enrollment_id, candidate_id, bounce_class, bounce_recipient, bounce_status,
  return_on, opt_out_words, text, html, attachments, status, unassigned_reason, sender_proof)
VALUES (:id, :organization_id, :digest, :message_id, :conversation_id, :sender, :sender_name, :recipients, :subject,
  :received_at, :kind, :matched_by, :why, :delivery_id, :enrollment_id, :candidate_id, :bounce_class, :bounce_recipient,
  :bounce_status, :return_on, :opt_out_words, :text, :html, CAST(:attachments AS jsonb), :status, :unassigned_reason,
  CAST(:sender_proof AS jsonb))
ON CONFLICT DO NOTHING

-- name: keep_file
INSERT INTO incoming_files (id, organization_id, incoming_message_id, name, content_type, size, content)
VALUES (:id, :organization_id, :message_id, :name, :content_type, :size, :content)
