-- name: of
SELECT b.id, b.organization_id, b.owner_id, coalesce(m.name, '') AS owner, b.address, b.provider, l.daily_cap,
  CASE WHEN l.sent_on = (now() AT TIME ZONE l.zone)::date THEN l.sent_today ELSE 0 END AS sent_today, l.zone,
  b.settings->'window' AS hours, b.own_hours IS NOT NULL AS own, o.sending AS organization_hours,
  ((now() AT TIME ZONE l.zone)::date + 1)::timestamp AT TIME ZONE l.zone AS tomorrow,
  (SELECT count(*) FROM deliveries d WHERE d.mailbox_id = b.id AND d.state = 'pending' AND NOT d.held AND d.reason = 'daily_cap') AS waiting
FROM mailboxes b JOIN lanes l ON l.mailbox_id = b.id JOIN organizations o ON o.id = b.organization_id
LEFT JOIN members m ON m.id = b.owner_id WHERE b.id = :id

-- name: let_go
UPDATE deliveries d SET due_at = clock_timestamp() FROM lanes l
WHERE l.mailbox_id = :id AND d.mailbox_id = l.mailbox_id AND d.state = 'pending' AND NOT d.held AND d.reason = 'daily_cap'
  AND d.due_at > clock_timestamp()
  AND (l.sent_on IS DISTINCT FROM (clock_timestamp() AT TIME ZONE l.zone)::date OR l.sent_today < l.daily_cap)

-- name: wake
UPDATE lanes l SET next_due_at = (SELECT min(d.due_at) FROM deliveries d
  WHERE d.mailbox_id = l.mailbox_id AND d.state = 'pending' AND NOT d.held)
WHERE l.mailbox_id = :id
  AND (l.sent_on IS DISTINCT FROM (clock_timestamp() AT TIME ZONE l.zone)::date OR l.sent_today < l.daily_cap)
