-- name: member
SELECT coalesce(m.time_zone, o.time_zone) AS zone, m.quiet_from, m.quiet_until, m.backup_id, m.organization_id,
  m.active, clock_timestamp() AS now
FROM members m JOIN organizations o ON o.id = m.organization_id WHERE m.id = :id

-- name: ways
SELECT p.category, p.by_email, coalesce((SELECT array_agg(c.id ORDER BY c.id) FROM notice_channels c
    WHERE c.id = ANY(p.channel_ids) AND c.member_id = p.member_id AND c.removed_at IS NULL), '{}') AS channel_ids
FROM notice_preferences p WHERE p.member_id = :id

-- name: set_way
INSERT INTO notice_preferences (member_id, category, organization_id, by_email, channel_ids)
VALUES (:id, :category, :organization_id, :by_email, :channel_ids)
ON CONFLICT (member_id, category) DO UPDATE SET by_email = :by_email, channel_ids = :channel_ids

-- name: set_member
UPDATE members SET quiet_from = :quiet_from, quiet_until = :quiet_until, backup_id = :backup_id WHERE id = :id

-- name: is_colleague
SELECT EXISTS (SELECT FROM members c JOIN members m ON m.organization_id = c.organization_id
  WHERE m.id = :id AND c.id = :other AND c.id <> m.id AND c.active)

-- name: take_summary
-- One member whose daily summary is due: from eight in the morning of their zone, once a day. Only one caller gets it.
WITH due AS (
  SELECT m.id, (clock_timestamp() AT TIME ZONE coalesce(m.time_zone, o.time_zone))::date AS today
  FROM members m JOIN organizations o ON o.id = m.organization_id
  WHERE m.active AND EXISTS (SELECT FROM notices n WHERE n.owner_id = m.id AND n.in_summary)
    AND (clock_timestamp() AT TIME ZONE coalesce(m.time_zone, o.time_zone))::time >= :at
    AND m.summary_on IS DISTINCT FROM (clock_timestamp() AT TIME ZONE coalesce(m.time_zone, o.time_zone))::date
  ORDER BY m.id LIMIT 1 FOR UPDATE OF m SKIP LOCKED)
UPDATE members m SET summary_on = due.today FROM due WHERE m.id = due.id
RETURNING m.id, m.organization_id, due.today

-- name: in_summary
-- One cause is in one summary, as it is in one email.
UPDATE notices SET in_summary = true
WHERE cause_key = :cause_key AND owner_id = :owner_id AND channel = 'in_app' AND in_summary IS NULL

-- name: take_kept
UPDATE notices SET in_summary = false WHERE owner_id = :id AND in_summary RETURNING id
