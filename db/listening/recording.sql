-- What came in and concerns somebody.

-- name: insert
-- Rows that are on record are left as they are: a page may come twice, and so may an item in it.
INSERT INTO incoming_messages (id, organization_id, mailbox_id, provider_id, message_id, conversation_id, sender, sender_name,
  recipients, subject, received_at, kind, matched_by, why, delivery_id, enrollment_id, candidate_id, bounce_class,
  bounce_recipient, bounce_status, return_on, opt_out_words, text, html, attachments)
VALUES (:id, :organization_id, :mailbox_id, :provider_id, :message_id, :conversation_id, :sender, :sender_name,
  :recipients, :subject, :received_at, :kind, :matched_by, :why, :delivery_id, :enrollment_id, :candidate_id, :bounce_class,
  :bounce_recipient, :bounce_status, :return_on, :opt_out_words, :text, :html, CAST(:attachments AS jsonb))
ON CONFLICT DO NOTHING
