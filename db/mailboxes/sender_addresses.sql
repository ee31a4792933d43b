-- name: set_code
INSERT INTO address_proofs (mailbox_id, organization_id, code_hash) VALUES (:id, :organization_id, :code)
ON CONFLICT (mailbox_id) DO UPDATE SET code_hash = excluded.code_hash, tries = 0, asked_at = clock_timestamp()

-- name: vouch
INSERT INTO address_proofs (mailbox_id, organization_id, proven_at) VALUES (:id, :organization_id, clock_timestamp())
ON CONFLICT (mailbox_id) DO UPDATE SET proven_at = coalesce(address_proofs.proven_at, clock_timestamp())
