-- name: ends
SELECT DISTINCT ON (organization_id) organization_id, position, hash,
  count(*) OVER (PARTITION BY organization_id) AS entries
FROM {table} WHERE {within} ORDER BY organization_id, position DESC

-- name: forget_settled
WITH border AS (SELECT max(kept_from) AS at FROM audit_chains),
people AS (SELECT id, status FROM enrollments, border WHERE enrollments.created_at < border.at
  AND (CAST(:after AS uuid) IS NULL OR id > :after) ORDER BY id LIMIT :limit),
ended AS (SELECT p.id FROM people p, border WHERE p.status IN ('finished', 'stopped', 'archived')
    AND NOT EXISTS (SELECT FROM deliveries d LEFT JOIN receipts r ON r.delivery_id = d.id WHERE d.enrollment_id = p.id
      AND (d.state NOT IN ('sent', 'closed')
        OR greatest(d.created_at, d.due_at, d.sent_at, r.accepted_at) >= border.at))),
gone AS (DELETE FROM deliveries WHERE enrollment_id IN (SELECT id FROM ended) RETURNING receipt_id),
receipts_gone AS (DELETE FROM receipts WHERE delivery_id IN (SELECT receipt_id FROM gone))
SELECT (SELECT count(*) FROM gone) AS deliveries, (SELECT id FROM people ORDER BY id DESC LIMIT 1) AS last,
  (SELECT count(*) FROM people) AS people
