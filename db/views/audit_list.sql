-- The audit trail as pages show it, newest first: what waits for its seal, then the chain from its end. Read only.

-- name: label
coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email)

-- name: about
-- What people call an entry's subject, where it still has a name.
CASE s.kind
  WHEN 'member' THEN (SELECT m.name FROM members m WHERE m.id = s.id)
  WHEN 'mailbox' THEN (SELECT b.address FROM mailboxes b WHERE b.id = s.id)
  WHEN 'grant' THEN (SELECT b.address FROM grants g JOIN mailboxes b ON b.id = g.mailbox_id WHERE g.id = s.id)
  WHEN 'sequence' THEN (SELECT q.name FROM sequences q WHERE q.id = s.id)
  WHEN 'candidate' THEN (SELECT {label} FROM candidates c WHERE c.id = s.id)
  WHEN 'enrollment' THEN (SELECT {label} FROM enrollments e JOIN candidates c ON c.id = e.candidate_id WHERE e.id = s.id)
  WHEN 'delivery' THEN (SELECT {label} FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id
    JOIN candidates c ON c.id = e.candidate_id WHERE d.id = s.id)
  WHEN 'message' THEN (SELECT i.sender FROM incoming_messages i WHERE i.id = s.id)
  WHEN 'api_key' THEN (SELECT k.name FROM api_keys k WHERE k.id = s.id)
  WHEN 'webhook' THEN (SELECT w.host FROM webhooks w WHERE w.id = s.id)
  WHEN 'suppression' THEN (SELECT u.value FROM suppressions u WHERE u.id = s.id)
END

-- name: actor
CASE WHEN left(a.actor_name, 7) = 'member:' THEN coalesce((SELECT m.name FROM members m WHERE m.id::text = substr(a.actor_name, 8)),
  a.actor_name) ELSE a.actor_name END

-- name: of_sequence
SELECT a.id, a.at, a.actor_kind, {actor} AS actor, a.action, a.data FROM audit_entries a
WHERE a.organization_id = :organization_id AND a.subject = :subject AND a.action <> 'withdrawal_answered'
  AND (CAST(:before AS uuid) IS NULL OR a.id < CAST(:before AS uuid))
ORDER BY a.id DESC LIMIT CAST(:limit AS int)

-- name: page
SELECT a.id, a.at, a.actor_kind, a.action, a.subject, a.data, a.position, a.hash, {about} AS about, {actor} AS actor
FROM audit_entries a
CROSS JOIN LATERAL (SELECT split_part(a.subject, ':', 1) AS kind, CASE WHEN length(split_part(a.subject, ':', 2)) = 36
    AND split_part(a.subject, ':', 2) ~ '^[0-9a-f-]+$' THEN CAST(split_part(a.subject, ':', 2) AS uuid) END AS id) s
WHERE a.organization_id = :organization_id
  AND (CAST(:who AS text) = '' OR strpos(lower(a.actor_name), lower(CAST(:who AS text))) > 0)
  AND (CAST(:actions AS text[]) IS NULL OR a.action = ANY(CAST(:actions AS text[])))
  AND (CAST(:first AS uuid) IS NULL OR a.id >= CAST(:first AS uuid) AND a.id < CAST(:last AS uuid))
  AND (NOT CAST(:narrowed AS boolean) OR a.subject = ANY(ARRAY(
    SELECT 'candidate:' || p.id FROM unnest(CAST(:people AS uuid[])) AS p (id)
    UNION ALL SELECT 'enrollment:' || e.id FROM enrollments e WHERE e.candidate_id = ANY(CAST(:people AS uuid[]))
    UNION ALL SELECT 'delivery:' || d.id FROM enrollments e JOIN deliveries d ON d.enrollment_id = e.id
      WHERE e.candidate_id = ANY(CAST(:people AS uuid[]))
    UNION ALL SELECT 'sequence:' || q.id FROM unnest(CAST(:sequences AS uuid[])) AS q (id))))
  AND (CAST(:unsealed_before AS uuid) IS NULL OR a.position IS NOT NULL OR a.id < CAST(:unsealed_before AS uuid))
  AND (CAST(:before AS bigint) IS NULL OR a.position < CAST(:before AS bigint))
ORDER BY a.position DESC NULLS FIRST, a.id DESC LIMIT CAST(:limit AS int)

-- name: state
SELECT coalesce(c.position, 0) AS position, coalesce(c.position - c.dropped_position, 0) AS entries, c.kept_from,
  (SELECT count(*) FROM (SELECT FROM audit_entries a WHERE a.organization_id = o.id AND a.position IS NULL LIMIT 1000) w) AS waiting, v.ended_at AS checked_at, v.answer
FROM organizations o LEFT JOIN audit_chains c ON c.organization_id = o.id
LEFT JOIN LATERAL (SELECT e.ended_at, e.answer FROM errands e WHERE e.organization_id = o.id AND e.kind = 'verify_audit'
  AND e.answer IS NOT NULL ORDER BY e.ended_at DESC LIMIT 1) v ON true
WHERE o.id = :organization_id
