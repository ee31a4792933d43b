-- name: store
INSERT INTO people_imports (id, organization_id, member_id, made_by, name, size, sequence_id, content)
VALUES (:id, :organization_id, :member_id, :made_by, :name, :size, :sequence_id, :content)

-- name: one
SELECT i.id, i.organization_id, i.member_id, i.made_by, i.name, i.size, i.status, i.round, i.sequence_id, s.name AS sequence,
  i.a_day, i.anyway, i.report, i.left_out IS NOT NULL AS has_left_out, i.task, i.done, i.total, i.created_at
FROM people_imports i LEFT JOIN sequences s ON s.id = i.sequence_id
WHERE i.id = :id AND i.organization_id = :organization_id AND i.created_at > clock_timestamp() - interval '1 day'
  AND (CAST(:member_id AS uuid) IS NULL OR i.member_id = CAST(:member_id AS uuid))

-- name: check_again
-- The lease stays: whoever works on the round before may still be at it.
UPDATE people_imports SET status = 'checking', round = round + 1, attempts = 0, task = '', done = 0, total = 0,
  mapping = CAST(:mapping AS jsonb), sequence_id = :sequence_id, a_day = :a_day, anyway = :anyway
WHERE id = :id AND status IN ('checked', 'refused', 'checking') RETURNING round

-- name: confirm
UPDATE people_imports SET status = 'importing', round = round + 1, attempts = 0, task = '', done = 0, total = 0
WHERE id = :id AND status = 'checked' AND round = :round RETURNING round

-- name: lock
SELECT pg_advisory_xact_lock(hashtextextended('people import ' || CAST(organization_id AS text), 0)) FROM people_imports WHERE id = :id

-- name: begin
-- An organization has one at a time: its large files keep nobody else's waiting.
UPDATE people_imports i SET attempts = attempts + 1, lease_until = clock_timestamp() + interval '2 minutes'
WHERE i.id = :id AND i.round = :round AND i.status IN ('checking', 'importing')
  AND NOT EXISTS (SELECT FROM people_imports o WHERE o.organization_id = i.organization_id AND o.lease_until > clock_timestamp())
RETURNING i.id, i.organization_id, i.member_id, i.made_by, i.name, i.status, i.round, i.sequence_id, i.a_day, i.anyway, i.mapping,
  i.content, i.attempts

-- name: waits
SELECT EXISTS (SELECT FROM people_imports WHERE id = :id AND round = :round AND status IN ('checking', 'importing'))

-- name: progress
UPDATE people_imports SET task = :task, done = :done, total = :total, lease_until = clock_timestamp() + interval '2 minutes'
WHERE id = :id AND round = :round

-- name: end
UPDATE people_imports SET status = :status, report = :report, left_out = :left_out, mapping = CAST(:mapping AS jsonb),
  lease_until = NULL, content = CASE WHEN :status = 'imported' THEN NULL ELSE content END
WHERE id = :id AND round = :round AND status IN ('checking', 'importing')

-- name: release
UPDATE people_imports SET lease_until = NULL WHERE id = :id AND round > :round

-- name: remember
INSERT INTO column_mappings (organization_id, headers, mapping) VALUES (:organization_id, :headers, CAST(:mapping AS jsonb))
ON CONFLICT (organization_id, headers) DO UPDATE SET mapping = excluded.mapping, used_at = clock_timestamp()
