-- What happened to one person besides their messages, newest first. Read only.

-- name: of_person
WITH places AS MATERIALIZED (SELECT e.id, e.sequence_id, e.created_at, e.run, s.name FROM enrollments e
  JOIN sequences s ON s.id = e.sequence_id WHERE e.candidate_id = :id AND s.kind = 'sequence'),
about (subject, sequence, step, since) AS (
  SELECT 'candidate:' || CAST(:id AS text), NULL::text, NULL::int, NULL::timestamptz
  UNION ALL SELECT 'enrollment:' || id, name, NULL, NULL FROM places
  UNION ALL SELECT 'sequence:' || sequence_id, name, NULL, min(created_at) FROM places GROUP BY sequence_id, name
  UNION ALL SELECT 'delivery:' || d.id, p.name, t.position, NULL FROM places p JOIN deliveries d ON d.enrollment_id = p.id
    JOIN steps t ON t.id = d.step_id)
SELECT * FROM (
  SELECT a.id, a.at, a.action, x.sequence, x.step, {who} AS actor, a.data
  FROM about x JOIN audit_entries a ON a.organization_id = :organization_id AND a.subject = x.subject
  WHERE a.action = ANY(:actions) AND (x.since IS NULL OR (a.action = 'sequence_handed_over' AND a.at >= x.since))
  UNION ALL
  -- An import is one entry for all: the first one of the sequence that was made while the person joined it, or just after.
  SELECT p.id, p.created_at, 'enrolled', p.name, NULL::int, (SELECT {who} FROM audit_entries a
      WHERE a.organization_id = :organization_id AND a.subject = 'organization:' || CAST(:organization_id AS text)
        AND a.action IN ('candidates_imported', 'people_enrolled') AND a.data->>'sequence_id' = CAST(p.sequence_id AS text)
        AND a.at BETWEEN p.created_at - interval '1 second' AND p.created_at + interval '1 hour' ORDER BY a.at LIMIT 1), jsonb_build_object()
  FROM places p WHERE p.run = 1) happened
ORDER BY at DESC, id DESC LIMIT CAST(:limit AS int)

-- name: who
CASE WHEN left(a.actor_name, 7) = 'member:' THEN coalesce((SELECT m.name FROM members m WHERE m.id::text = substr(a.actor_name, 8)),
  a.actor_name) ELSE a.actor_name END
