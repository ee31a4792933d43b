-- name: people
-- Four ranges of four indexes, each read no further than :examined; what the member may see is asked of those alone. OFFSET 0: found by
-- their ids. Postgres would rather read everybody.
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
    AND c.company_name >= (SELECT low FROM begins) AND c.company_name < (SELECT high FROM begins)
    ORDER BY c.organization_id, c.company_name LIMIT :examined)
  UNION
  (SELECT c.id FROM candidates c WHERE c.organization_id = :organization_id
    AND c.email COLLATE "C" >= (SELECT low FROM begins) AND c.email COLLATE "C" < (SELECT high FROM begins)
    ORDER BY c.organization_id, c.email COLLATE "C" LIMIT :examined)
)
SELECT c.id, coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS name, c.email, c.company
FROM near CROSS JOIN LATERAL (SELECT * FROM candidates x WHERE x.id = near.id AND x.erased_at IS NULL OFFSET 0) c
WHERE {knows}
ORDER BY c.whole_name, c.email LIMIT :most

-- name: sequences
SELECT s.id, s.name, s.status, w.name AS owner FROM sequences s JOIN members w ON w.id = s.owner_id
WHERE s.organization_id = :organization_id AND s.kind = 'sequence'
  AND (CAST(:only_of AS uuid) IS NULL OR s.owner_id = CAST(:only_of AS uuid))
  AND strpos(lower(s.name), lower(:words)) > 0
ORDER BY s.status = 'archived', strpos(lower(s.name), lower(:words)) > 1, lower(s.name), s.id LIMIT :most
