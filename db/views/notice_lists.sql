-- name: of_recipient
SELECT * FROM notices WHERE {mine} AND (NOT :unread_only OR read_at IS NULL)
  AND (:search = '' OR strpos(lower(title || ' ' || body), lower(:search)) > 0)
  AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit
