-- name: situation
SELECT e.candidate_id, d.reason, {failed} AS failed
FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id WHERE d.id = :id
