-- name: waiting
SELECT s.organization_id, {recipient} AS recipient, (clock_timestamp() AT TIME ZONE n.time_zone)::date AS today, s.name AS sequence,
  sum(w.emails)::bigint AS emails
FROM (SELECT d.sequence_id, count(*) AS emails FROM deliveries d WHERE {approval} AND d.due_at <= now() GROUP BY d.sequence_id) w
JOIN sequences s ON s.id = w.sequence_id JOIN members o ON o.id = s.owner_id JOIN organizations n ON n.id = s.organization_id
WHERE s.status = 'active' AND (clock_timestamp() AT TIME ZONE n.time_zone)::time >= CAST(:at AS time)
GROUP BY s.id, o.id, n.id ORDER BY s.organization_id, lower(s.name), s.id
