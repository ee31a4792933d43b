-- name: check_soon
UPDATE mailboxes b SET checked_at = NULL FROM members m, credentials c
WHERE m.id = :id AND b.owner_id = m.id AND c.mailbox_id = b.id
  AND b.checked_at < clock_timestamp() - interval '1 minute' AND {only_tried}

-- name: waiting_in
SELECT m.id, m.awaits_approval_since AS since, (SELECT b.id FROM mailboxes b JOIN credentials c ON c.mailbox_id = b.id
  WHERE b.owner_id = m.id AND {only_tried} LIMIT 1) AS mailbox_id FROM members m
WHERE m.organization_id = :id AND m.awaits_approval_since IS NOT NULL AND m.active ORDER BY m.id FOR UPDATE OF m
