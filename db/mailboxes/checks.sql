-- name: plan
UPDATE mailboxes SET checked_at = clock_timestamp() WHERE id IN (
  SELECT b.id FROM mailboxes b WHERE (b.status = 'connected' OR (b.status = 'disconnected'
        AND b.status_reason NOT IN ('removed', 'disabled', 'same_account') AND (EXISTS (
          SELECT FROM credentials c WHERE c.mailbox_id = b.id AND c.renewable) OR b.provider IN ('smtp', 'microsoft_tenant')))
      OR EXISTS (SELECT FROM members m JOIN credentials c ON c.mailbox_id = b.id WHERE m.id = b.owner_id
        AND {only_tried}))
    AND (b.checked_at IS NULL OR b.checked_at < clock_timestamp()
      - CASE WHEN b.status = 'connected' THEN CAST(:every AS interval) ELSE :lost_every END)
  ORDER BY b.checked_at NULLS FIRST LIMIT :limit FOR UPDATE SKIP LOCKED) RETURNING id, checked_at
