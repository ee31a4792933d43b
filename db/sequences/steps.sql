-- name: change
UPDATE steps SET position = :position, delay = :delay, at = :at, subject = :subject, body = :body, retired_at = NULL,
  key = coalesce(:key, key), kind = coalesce(CAST(:kind AS text), kind), version = version + CASE WHEN :changed THEN 1 ELSE 0 END,
  former = former || CASE WHEN :reworded THEN jsonb_build_object(version, CAST(:said AS jsonb)) ELSE '{}' END
WHERE id = :id
