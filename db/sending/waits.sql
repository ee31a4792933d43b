-- name: of_sequences
SELECT s.id, s.owner_id, s.sending, o.sending AS organization_sending, o.time_zone, b.settings, b.owner_id AS mailbox_owner_id,
  b.address, hold_of(b.organization_id, b.id) AS hold,
  coalesce(h.name, b.address) AS sender, clock_timestamp() AS now, l.daily_cap,
  CASE WHEN l.sent_on = (clock_timestamp() AT TIME ZONE l.zone)::date THEN l.sent_today ELSE 0 END AS sent_today,
  ((clock_timestamp() AT TIME ZONE l.zone)::date + 1)::timestamp AT TIME ZONE l.zone AS tomorrow,
  (SELECT min(d.due_at) FROM deliveries d WHERE d.sequence_id = s.id AND d.state = 'pending'
    AND (NOT d.held OR s.status = 'paused')) AS next_due_at,
  {grants} AS grants
FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id JOIN lanes l ON l.mailbox_id = b.id
JOIN organizations o ON o.id = s.organization_id LEFT JOIN members h ON h.id = b.owner_id
WHERE s.id = ANY(:ids) AND s.status = ANY(:statuses) AND b.status = 'connected'
