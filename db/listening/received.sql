-- Mail that comes to default addresses.

-- name: recipient
SELECT organization_id, id AS mailbox_id FROM mailboxes
WHERE address = :address AND provider = 'default' AND status = 'connected'

-- name: lock
-- Two connections may bring it at once.
SELECT pg_advisory_xact_lock(hashtextextended('received ' || CAST(:organization_id AS text) || encode(:digest, 'hex'), 0))

-- name: known
SELECT EXISTS (SELECT FROM received_mail WHERE organization_id = :organization_id AND digest = :digest
  AND received_at > clock_timestamp() - CAST(:within AS interval))

-- name: store
INSERT INTO received_mail (id, organization_id, mailbox_id, address, sender, peer, helo, encrypted, raw, size, digest)
VALUES (:id, :organization_id, :mailbox_id, :address, :sender, :peer, :helo, :encrypted, :raw, :size, :digest)

-- name: begin
UPDATE received_mail SET failures = failures + 1 WHERE id = :id AND processed_at IS NULL
RETURNING id, organization_id, mailbox_id, address, sender, peer, helo, raw, digest, received_at, failures

-- name: end
UPDATE received_mail SET raw = NULL, processed_at = clock_timestamp(), failures = failures - 1, auth = CAST(:auth AS jsonb)
WHERE id = :id AND processed_at IS NULL

-- name: forget
DELETE FROM received_mail WHERE processed_at < clock_timestamp() - CAST(:age AS interval)
