-- name: take_week
WITH due AS (
  SELECT id, date_trunc('week', clock_timestamp() AT TIME ZONE time_zone)::date AS monday
  FROM organizations WHERE (clock_timestamp() AT TIME ZONE time_zone) >=
    date_trunc('week', clock_timestamp() AT TIME ZONE time_zone) + interval '8 hours'
  AND digest_until IS DISTINCT FROM date_trunc('week', clock_timestamp() AT TIME ZONE time_zone)::date
  ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE organizations o SET digest_until = due.monday FROM due WHERE o.id = due.id
RETURNING o.id AS organization_id, due.monday - 7 AS monday, due.monday - 1 AS sunday

-- name: sent_by_others
SELECT b.id AS mailbox_id, b.address, b.owner_id, w.name, count(*) AS emails,
  array_agg(DISTINCT s.name) AS sequences, (array_agg(g.id) FILTER (WHERE g.archived_at IS NULL))[1] AS grant_id
FROM deliveries d JOIN receipts r ON r.delivery_id = d.id JOIN grants g ON g.id = r.grant_id
JOIN mailboxes b ON b.id = d.mailbox_id JOIN members h ON h.id = b.owner_id JOIN members w ON w.id = r.owner_id
JOIN sequences s ON s.id = d.sequence_id JOIN organizations o ON o.id = d.organization_id
WHERE d.organization_id = :id AND d.state = 'sent' AND h.active
  AND d.sent_at >= CAST(:monday AS date)::timestamp AT TIME ZONE o.time_zone
  AND d.sent_at < (CAST(:sunday AS date) + 1)::timestamp AT TIME ZONE o.time_zone
GROUP BY b.id, b.address, b.owner_id, w.id, w.name ORDER BY b.id, count(*) DESC, w.name
