-- name: of_sequence
-- ``stays``: another sequence of theirs has it too, or it is their own mailbox.
SELECT n.id, v.id AS event_id, {others} OR ({of_mailbox} AND EXISTS (SELECT FROM mailboxes x WHERE x.id = :mailbox
    AND x.owner_id = n.owner_id)) AS stays,
  CASE WHEN {of_mailbox} THEN s.mailbox_id = :mailbox ELSE v.payload->>'sequence_id' = s.id::text END IS TRUE AS goes_on
FROM notices n JOIN events v ON v.id = n.event_id JOIN sequences s ON s.id = :id
WHERE n.owner_id = :former AND n.opened_at IS NOT NULL AND n.closed_at IS NULL AND (({of_mailbox})
  OR EXISTS (SELECT FROM pauses p WHERE p.event_id = v.id AND p.sequence_id = :id AND p.resumed_at IS NULL))
ORDER BY n.id

-- name: of_mailbox
v.kind = ANY(:of_mailbox) AND CAST(v.payload->>'mailbox_id' AS uuid) = :mailbox

-- name: others
EXISTS (SELECT FROM sequences y WHERE y.owner_id = n.owner_id AND y.status IN ('active', 'paused')
  AND (({of_mailbox}) AND y.mailbox_id = :mailbox OR EXISTS (SELECT FROM pauses p WHERE p.event_id = v.id AND p.sequence_id = y.id
    AND p.resumed_at IS NULL AND y.status = 'paused')))

-- name: close
UPDATE notices SET closed_at = clock_timestamp(), body = body || E'\n\n' || :sentence WHERE id = :id
