-- name: around
-- Messages: what waits to be filed in the member's own sequences and mailbox, as on the page Messages. OFFSET 0: each of them is asked by
-- its person's index. Postgres would rather read all people of all sequences first.
SELECT coalesce(m.time_zone, o.time_zone) AS zone, clock_timestamp() AS now,
  (SELECT count(*) FROM (SELECT FROM notices n WHERE n.owner_id = m.id AND n.channel = 'in_app' AND n.read_at IS NULL
    LIMIT :most) listed) AS unread,
  (SELECT count(*) FROM (SELECT FROM incoming_messages i LEFT JOIN mailboxes b ON b.id = i.mailbox_id
    WHERE i.organization_id = m.organization_id AND i.status = 'matched' AND i.handled_at IS NULL AND i.overruled_at IS NULL
      AND (i.kind IN ('answer', 'unclear') OR (i.kind = 'opt_out' AND i.opt_out_words IS NOT NULL))
      AND (b.owner_id = m.id OR EXISTS (SELECT FROM enrollments x JOIN sequences y ON y.id = x.sequence_id
        WHERE x.candidate_id = i.candidate_id AND y.owner_id = m.id OFFSET 0))
    LIMIT :most) listed) AS messages,
  {operates} AS operates
FROM members m JOIN organizations o ON o.id = m.organization_id WHERE m.id = :id
