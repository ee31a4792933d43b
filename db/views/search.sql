-- name: people
-- Three ranges of three indexes, each read no further than :examined; what the member may see is asked of those alone.
WITH begins AS (SELECT lower(:words) COLLATE "C" AS low, lower(:words) || chr(1114111) COLLATE "C" AS high),
near AS (
  (SELECT c.id FROM candidates c WHERE c.organization_id = :organization_id
    AND c.whole_name >= (SELECT low FROM begins) AND c.whole_name < (SELECT high FROM begins)
    ORDER BY c.organization_id, c.whole_name LIMIT :examined)
  UNION
  (SELECT c.id FROM candidates c WHERE c.organization_id = :organization_id
    AND c.family_name >= (SELECT low FROM begins) AND c.family_name < (SELECT high FROM begins)
    ORDER BY c.organization_id, c.family_name LIMIT :examined)
  UNION
  (SELECT c.id FROM candidates c WHERE c.organization_id = :organization_id
    AND c.email COLLATE "C" >= (SELECT low FROM begins) AND c.email COLLATE "C" < (SELECT high FROM begins)
    ORDER BY c.organization_id, c.email COLLATE "C" LIMIT :examined)
)
SELECT c.id, coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS name, c.email, c.company
FROM near JOIN candidates c ON c.id = near.id
WHERE c.erased_at IS NULL AND {knows}
ORDER BY c.whole_name, c.email LIMIT :most

-- name: sequences
SELECT s.id, s.name, s.status, w.name AS owner FROM sequences s JOIN members w ON w.id = s.owner_id
WHERE s.organization_id = :organization_id AND s.kind = 'sequence' AND s.status <> 'archived'
  AND (CAST(:only_of AS uuid) IS NULL OR s.owner_id = CAST(:only_of AS uuid))
  AND strpos(lower(s.name), lower(:words)) > 0
ORDER BY strpos(lower(s.name), lower(:words)) > 1, lower(s.name), s.id LIMIT :most
