-- name: begin_in_app
INSERT INTO notices (id, organization_id, owner_id, event_id, cause_key, channel, title, body)
VALUES (:id, :organization_id, :owner_id, :event_id, :cause_key, 'in_app', '', '')
-- Locks the row, so that two who word it do so one after the other.
ON CONFLICT (cause_key, owner_id, channel) DO UPDATE SET channel = 'in_app'

-- name: word_in_app
-- A changed notice is unread again.
UPDATE notices SET title = :title, body = :body, links = CAST(:links AS jsonb),
  read_at = CASE WHEN body = :body THEN read_at END
WHERE cause_key = :cause_key AND owner_id = :owner_id AND channel = 'in_app'

-- name: written_in_app
SELECT title, body, links FROM notices WHERE cause_key = :cause_key AND owner_id = :owner_id AND channel = 'in_app'

-- name: claim_mail
INSERT INTO notices (id, organization_id, owner_id, event_id, cause_key, channel, title, body, links, mail_state)
VALUES (:id, :organization_id, :owner_id, :event_id, :cause_key, 'email', :title, :body, CAST(:links AS jsonb),
  'sending')
ON CONFLICT (cause_key, owner_id, channel) DO UPDATE SET mail_state = 'sending',
  created_at = clock_timestamp() WHERE notices.mail_state = 'failed' RETURNING id

-- name: earlier_mail
SELECT mail_state, created_at < clock_timestamp() - :limit AS old FROM notices
WHERE cause_key = :cause_key AND owner_id = :owner_id AND channel = 'email' FOR UPDATE

-- name: record_mail
UPDATE notices SET mail_state = :state
WHERE cause_key = :cause_key AND owner_id = :owner_id AND channel = 'email'
