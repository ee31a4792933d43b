-- name: standings
-- What the rule of domain/enrolling.py asks of each address. ``suppressed`` is a function that asks the list.
SELECT x.email, x.suppressed IS NOT NULL AS suppressed, e.id IS NOT NULL AS already,
  coalesce((SELECT s.name FROM enrollments o JOIN sequences s ON s.id = o.sequence_id
    WHERE o.candidate_id = c.id AND o.sequence_id IS DISTINCT FROM CAST(:sequence_id AS uuid) AND o.status IN ('active', 'paused')
      AND s.kind = 'sequence' AND s.status <> 'archived' ORDER BY o.created_at DESC LIMIT 1), '') AS elsewhere,
  (SELECT max(d.sent_at) FROM enrollments o JOIN deliveries d ON d.enrollment_id = o.id
    WHERE o.candidate_id = c.id AND d.state = 'sent') AS last_sent_at
FROM (SELECT email, suppressed(:organization_id, email) AS suppressed FROM unnest(CAST(:emails AS text[])) AS given(email)) x
LEFT JOIN candidates c ON c.organization_id = :organization_id AND c.email = x.email
LEFT JOIN enrollments e ON e.candidate_id = c.id AND e.sequence_id = CAST(:sequence_id AS uuid)

-- name: destinations
-- Sequences that people can be enrolled in, the newest first.
SELECT s.id, s.name, s.status FROM sequences s
WHERE s.organization_id = :organization_id AND s.kind = 'sequence' AND s.status <> 'archived'
  AND (CAST(:member_id AS uuid) IS NULL OR s.owner_id = CAST(:member_id AS uuid))
  AND (CAST(:only AS uuid) IS NULL OR s.id = CAST(:only AS uuid))
  AND EXISTS (SELECT FROM steps t WHERE t.sequence_id = s.id AND t.retired_at IS NULL)
ORDER BY s.created_at DESC, s.id LIMIT :most

-- name: emails_of
SELECT c.email FROM candidates c WHERE c.organization_id = :organization_id AND c.id = ANY(CAST(:ids AS uuid[]))
  AND c.erased_at IS NULL AND {knows} ORDER BY c.id
