-- name: make
INSERT INTO sequences (id, organization_id, owner_id, mailbox_id, uses_sender_address, name, status, sending, fields,
  with_signature) VALUES
  (:id, :organization_id, :owner_id, :mailbox_id, :uses_sender_address, :name, :status, CAST(:sending AS jsonb), :fields, :with_signature)

-- name: change
UPDATE sequences s SET sending = n.sending, fields = n.fields, with_signature = n.with_signature, version = version + 1 FROM (SELECT k.id,
    CASE WHEN :keep_sending THEN k.sending ELSE CAST(:sending AS jsonb) END AS sending,
    coalesce(CAST(:fields AS text[]), k.fields) AS fields,
    coalesce(CAST(:with_signature AS boolean), k.with_signature) AS with_signature FROM sequences k WHERE k.id = :id) n
WHERE s.id = n.id AND (s.sending, s.fields, s.with_signature)
  IS DISTINCT FROM (n.sending, n.fields, n.with_signature) RETURNING s.id

-- name: why_not
SELECT w.email AS owner, w.active AS owner_active, b.address, h.email AS mailbox_owner,
  h.active IS NOT false AS mailbox_owner_active, {permitted} AS permitted
FROM members w, mailboxes b LEFT JOIN members h ON h.id = b.owner_id WHERE w.id = :owner AND b.id = :mailbox
