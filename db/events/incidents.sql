-- name: open_one
-- What is over already is no incident. One that comes back after it was closed begins anew.
UPDATE notices n SET closed_at = NULL,
  opened_at = CASE WHEN n.closed_at IS NULL THEN coalesce(n.opened_at, clock_timestamp()) ELSE clock_timestamp() END,
  acknowledged_at = CASE WHEN n.closed_at IS NULL THEN n.acknowledged_at END,
  acknowledged_by = CASE WHEN n.closed_at IS NULL THEN n.acknowledged_by END,
  escalated_at = CASE WHEN n.closed_at IS NULL THEN n.escalated_at END,
  read_at = CASE WHEN n.closed_at IS NULL THEN n.read_at END
FROM events v WHERE v.id = n.event_id AND n.cause_key = :cause_key AND n.owner_id = :owner_id AND n.channel = 'in_app'
  AND {lasts}

-- name: take_open
SELECT n.id, n.organization_id, n.owner_id, m.name AS owner, b.id AS backup_id, n.title, v.kind, n.opened_at, n.read_at,
  n.acknowledged_at, n.escalated_at, o.unread_hours, clock_timestamp() AS now, {lasts} AS lasts
FROM notices n JOIN events v ON v.id = n.event_id JOIN members m ON m.id = n.owner_id
JOIN organizations o ON o.id = n.organization_id LEFT JOIN members b ON b.id = m.backup_id AND b.active
WHERE n.opened_at IS NOT NULL AND n.closed_at IS NULL AND n.id > :after
ORDER BY n.id LIMIT :limit FOR UPDATE OF n SKIP LOCKED

-- name: admins
SELECT id FROM members WHERE organization_id = :id AND role IN ('owner', 'admin') AND active ORDER BY id

-- name: acknowledge
UPDATE notices SET acknowledged_at = clock_timestamp(), acknowledged_by = :by,
  read_at = coalesce(read_at, clock_timestamp())
WHERE id = :id AND opened_at IS NOT NULL AND closed_at IS NULL AND acknowledged_at IS NULL

-- name: lasts
-- Over notices n and their events v: what the incident is about is not over.
(EXISTS (SELECT FROM pauses p JOIN sequences s ON s.id = p.sequence_id JOIN members o ON o.id = s.owner_id
    WHERE p.event_id = v.id AND p.resumed_at IS NULL AND s.status = 'paused' AND {recipient} = n.owner_id)
  OR (v.kind IN ({of_mailboxes}) AND EXISTS (SELECT FROM mailboxes x JOIN members y ON y.id = n.owner_id
    WHERE x.id = CAST(v.payload->>'mailbox_id' AS uuid) AND x.status = 'disconnected'
    AND v.cause_key = 'mailbox:' || x.id || ':' || x.connection_version
    AND (x.owner_id = y.id OR x.owner_id IS NULL AND y.role IN ('owner', 'admin'))))
  OR (v.kind IN ({of_tenants}) AND EXISTS (SELECT FROM mailboxes x WHERE x.owner_id = n.owner_id AND x.status = 'disconnected'
    AND x.tenant_wide->'lost_with' = to_jsonb(CAST(v.payload->>'tenant_version' AS integer))))
  -- An admin who ended it knows. Whoever can give the consent again has to as long as Microsoft refuses.
  OR (v.kind IN ({of_tenants}) AND EXISTS (SELECT FROM tenant_connections t JOIN members y ON y.id = n.owner_id
    WHERE t.organization_id = n.organization_id AND t.status = 'lost' AND y.role IN ('owner', 'admin')
    AND t.version = CAST(v.payload->>'tenant_version' AS integer)))
  -- The next attempt may be a moment late.
  OR (v.kind IN ({of_limits}) AND EXISTS (SELECT FROM lanes l WHERE l.mailbox_id = CAST(v.payload->>'mailbox_id' AS uuid)
    AND l.limited_since <= v.occurred_at AND l.retry_after_until > clock_timestamp() - interval '5 minutes'))
  OR (v.kind IN ({of_readings}) AND EXISTS (SELECT FROM mailbox_reads r JOIN mailboxes x ON x.id = r.mailbox_id
    WHERE x.id = CAST(v.payload->>'mailbox_id' AS uuid) AND x.status = 'connected' AND r.failing_since <= v.occurred_at))
  OR (v.kind IN ({of_holds}) AND EXISTS (SELECT FROM holds h WHERE h.id = CAST(v.payload->>'hold_id' AS uuid)
    AND h.ended_at IS NULL AND (h.until IS NULL OR h.until > clock_timestamp())))
  OR (v.kind IN ({of_drafts}) AND EXISTS (SELECT FROM deliveries d JOIN sequences s ON s.id = d.sequence_id
    JOIN members o ON o.id = s.owner_id WHERE d.mailbox_id = CAST(v.payload->>'mailbox_id' AS uuid)
    AND d.still_draft_at IS NOT NULL AND {recipient} = n.owner_id)))
