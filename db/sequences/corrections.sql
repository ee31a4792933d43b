-- name: situation
SELECT c.organization_id, c.id AS candidate_id, c.email, d.reason, {failed} AS failed,
  coalesce(suppressed(c.organization_id, c.email) <> 'bounced', false) AS said_no,
  suppressed(c.organization_id, :address) IS NOT NULL AS closed,
  EXISTS (SELECT FROM deliveries v JOIN enrollments o ON o.id = v.enrollment_id WHERE o.candidate_id = c.id
    AND v.state IN ('sending', 'in_doubt', 'review', 'sent')) AS written_to
FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id
WHERE d.id = :id FOR UPDATE OF c
