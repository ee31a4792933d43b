-- Everything that is known of one person, besides their conversation.

-- name: of_person
SELECT to_jsonb(c) - 'organization_id' AS person,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', p.kind, 'value', p.value, 'reason', p.reason, 'source', p.source,
      'created_at', p.created_at, 'lifted_at', p.lifted_at, 'lift_reason', p.lift_reason) ORDER BY p.id), '[]') FROM suppressions p
    WHERE p.organization_id = c.organization_id AND p.kind = 'address' AND (p.value = c.email OR p.candidate_id = c.id)) AS suppressions,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('member', m.name, 'at', i.created_at) ORDER BY i.created_at), '[]')
    FROM brought_in i JOIN members m ON m.id = i.member_id WHERE i.candidate_id = c.id) AS brought_in,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('id', e.id, 'sequence', s.name, 'status', e.status, 'reason', e.reason,
      'created_at', e.created_at) ORDER BY e.created_at), '[]') FROM enrollments e JOIN sequences s ON s.id = e.sequence_id
    WHERE e.candidate_id = c.id) AS sequences,
  (SELECT coalesce(jsonb_agg(to_jsonb(r) - 'organization_id' ORDER BY r.accepted_at), '[]') FROM receipts r
    JOIN deliveries d ON d.id = r.delivery_id JOIN enrollments e ON e.id = d.enrollment_id WHERE e.candidate_id = c.id) AS receipts,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', v.kind, 'at', v.occurred_at, 'payload', v.payload) ORDER BY v.id), '[]')
    FROM events v WHERE v.organization_id = c.organization_id AND v.payload->>'candidate_id' = CAST(c.id AS text)) AS events,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('at', a.at, 'actor', a.actor_name, 'action', a.action, 'subject', a.subject,
      'data', a.data) ORDER BY a.id), '[]') FROM audit_entries a WHERE a.organization_id = c.organization_id
    AND a.subject = ANY(ARRAY(SELECT 'candidate:' || c.id UNION ALL SELECT 'enrollment:' || e.id FROM enrollments e
      WHERE e.candidate_id = c.id UNION ALL SELECT 'delivery:' || d.id FROM enrollments e JOIN deliveries d
      ON d.enrollment_id = e.id WHERE e.candidate_id = c.id))) AS audit
FROM candidates c WHERE c.id = :id
