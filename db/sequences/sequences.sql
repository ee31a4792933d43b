-- name: make
INSERT INTO sequences (id, organization_id, owner_id, mailbox_id, uses_sender_address, name, status, sending, fields) VALUES
  (:id, :organization_id, :owner_id, :mailbox_id, :uses_sender_address, :name, :status, CAST(:sending AS jsonb), :fields)

-- name: change
UPDATE sequences SET sending = CAST(:sending AS jsonb), fields = :fields, version = version + 1 WHERE id = :id
  AND (sending, fields) IS DISTINCT FROM (CAST(:sending AS jsonb), CAST(:fields AS text[])) RETURNING id

-- name: why_not
SELECT w.email AS owner, w.active AS owner_active, b.address, h.email AS mailbox_owner,
  h.active IS NOT false AS mailbox_owner_active, {permitted} AS permitted
FROM members w, mailboxes b LEFT JOIN members h ON h.id = b.owner_id WHERE w.id = :owner AND b.id = :mailbox
