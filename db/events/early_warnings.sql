-- name: unsendable
SELECT s.id AS sequence_id, s.organization_id, b.address
FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id LEFT JOIN members h ON h.id = b.owner_id JOIN members w ON w.id = s.owner_id
WHERE s.status = 'active' AND s.created_at < clock_timestamp() - CAST(:settled AS interval)
  AND coalesce(b.disconnected_at < clock_timestamp() - CAST(:settled AS interval), true)
  AND {cannot_send}
  AND EXISTS (SELECT FROM deliveries d WHERE d.sequence_id = s.id AND d.state = 'pending'
    AND d.due_at < clock_timestamp() + CASE WHEN b.status = 'never_connected' THEN -CAST(:settled AS interval) ELSE :ahead END)
ORDER BY s.id LIMIT 100

-- name: grants_that_end
SELECT g.id, g.version, g.organization_id, g.mailbox_id, g.grantee_id, g.expires_at, b.address, o.time_zone
FROM grants g JOIN mailboxes b ON b.id = g.mailbox_id JOIN organizations o ON o.id = g.organization_id
WHERE {in_force} AND g.expires_at < clock_timestamp() + :ahead
  AND NOT EXISTS (SELECT FROM events e WHERE e.organization_id = g.organization_id
    AND e.cause_key = 'grant_ends:' || g.id || ':' || g.version)
  AND EXISTS (SELECT FROM sequences s WHERE s.mailbox_id = g.mailbox_id AND s.status = 'active'
    AND s.owner_id <> g.mailbox_owner_id AND {covers})

-- name: recheck_lost
UPDATE mailboxes SET checked_at = NULL WHERE organization_id = :id AND status = 'disconnected'
  AND status_reason = :reason
