-- name: set_sealed
UPDATE audit_entries a SET position = r.position, hash = r.hash, key_id = :key_id
FROM unnest(CAST(:ids AS uuid[]), CAST(:positions AS bigint[]), CAST(:hashes AS text[]))
  AS r(id, position, hash) WHERE a.id = r.id

-- name: save
INSERT INTO audit_chains (organization_id, position, hash, dropped_position, dropped_hash, kept_from, unkeyed,
  key_id, seal)
VALUES (:id, :position, :hash, :dropped_position, :dropped_hash, :kept_from, :unkeyed, :key_id, :seal)
ON CONFLICT (organization_id) DO UPDATE SET position = excluded.position, hash = excluded.hash,
  dropped_position = excluded.dropped_position, dropped_hash = excluded.dropped_hash,
  kept_from = excluded.kept_from, unkeyed = excluded.unkeyed, key_id = excluded.key_id, seal = excluded.seal
