-- name: record
WITH recorded AS (
  INSERT INTO events (id, organization_id, kind, cause_key, actor_kind, actor_id, actor_name, payload)
  VALUES (:id, :organization_id, :kind, :cause_key, :actor_kind, :actor_id, :actor_name, CAST(:payload AS jsonb))
  ON CONFLICT (organization_id, cause_key) DO NOTHING RETURNING id)
{insert_job} FROM recorded {once}

-- name: recipient
-- A sequence's recipient: its owner, or if that member has left, the organization's longest-standing active owner.
CASE WHEN o.active THEN o.id ELSE coalesce((SELECT m.id FROM members m
  WHERE m.organization_id = s.organization_id AND m.active
  ORDER BY array_position(ARRAY['owner', 'admin', 'member'], m.role), m.id LIMIT 1), o.id) END

-- name: recipient_for
SELECT {recipient} FROM sequences s JOIN members o ON o.id = s.owner_id WHERE s.id = :id

-- name: affected
SELECT s.id AS sequence_id, {recipient} AS recipient
FROM sequences s JOIN members o ON o.id = s.owner_id
WHERE s.organization_id = :organization_id AND s.status IN ('active', 'paused')
  AND (s.kind = 'sequence' OR EXISTS (SELECT FROM deliveries d WHERE d.sequence_id = s.id AND d.state NOT IN ('sent', 'closed')))
  AND {touches}

-- name: paused_by
SELECT s.id AS sequence_id, {recipient} AS recipient FROM pauses p JOIN sequences s ON s.id = p.sequence_id
JOIN members o ON o.id = s.owner_id WHERE p.event_id = :id AND (s.status = 'paused' OR :since_resumed)

-- What an event touches: conditions on sequences ``s`` (active or already paused) of its organization.

-- name: of_grant
-- A permission is about whom it was given to, and where it names sequences, about these and no others.
s.mailbox_id = :mailbox_id AND s.owner_id <> (SELECT owner_id FROM mailboxes WHERE id = s.mailbox_id)
  AND (CAST(:grantee_id AS uuid) IS NULL OR s.owner_id = :grantee_id)
  AND (CAST(:grant_id AS uuid) IS NULL OR EXISTS (SELECT FROM grants own WHERE own.id = :grant_id
  AND (own.sequence_ids IS NULL OR s.id = ANY(own.sequence_ids))))

-- name: of_tenant
s.mailbox_id IN (SELECT id FROM mailboxes WHERE organization_id = s.organization_id
  AND tenant_wide->'lost_with' = to_jsonb(CAST(:tenant_version AS integer)))

-- name: of_member
(s.owner_id = :member_id OR s.mailbox_id IN (SELECT id FROM mailboxes WHERE owner_id = :member_id))

-- name: waiting_for_sender
s.mailbox_id = :mailbox_id AND s.status = 'active' AND s.owner_id = CAST(:grantee_id AS uuid) AND EXISTS (
  SELECT FROM deliveries d WHERE d.sequence_id = s.id AND d.state = 'pending' AND NOT d.held
  AND d.due_at <= coalesce(CAST(:ends AS timestamptz), clock_timestamp() + interval '1 day'))

-- name: with_emails_in_drafts
s.id IN (SELECT sequence_id FROM deliveries WHERE mailbox_id = :mailbox_id AND still_draft_at IS NOT NULL)
