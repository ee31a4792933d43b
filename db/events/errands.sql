-- name: ask
INSERT INTO errands (id, organization_id, kind, subject_id, detail, actor_kind, actor_id, actor_name, begin_until)
VALUES (:id, :organization_id, :kind, :subject_id, :detail, :actor_kind, :actor_id, :actor_name,
  clock_timestamp() + CAST(:within AS interval))

-- name: begin
UPDATE errands SET begun_at = clock_timestamp() WHERE id = :id AND begun_at IS NULL
  AND begin_until > clock_timestamp() RETURNING *

-- name: progress
SELECT id, begun_at IS NOT NULL AS begun, ended_at IS NOT NULL AS ended,
  begin_until <= clock_timestamp() AS late, answer FROM errands WHERE id = ANY(:ids)

-- name: give_up
UPDATE errands SET begin_until = clock_timestamp() WHERE id = ANY(:ids) AND begun_at IS NULL
  AND begin_until > clock_timestamp()
