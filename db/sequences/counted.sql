-- Numbers of large organizations, counted ahead. db/views/numbers.sql says how, and reads them.

-- name: watch
-- Organizations that have become large. Counting stops at what makes one.
INSERT INTO numbers_counts (organization_id)
SELECT id FROM organizations o WHERE NOT EXISTS (SELECT FROM numbers_counts WHERE organization_id = o.id)
  AND (SELECT count(*) FROM (SELECT FROM candidates WHERE organization_id = o.id LIMIT CAST(:large AS int)) c) = CAST(:large AS int)
ON CONFLICT DO NOTHING

-- name: next
-- Whose numbers are to be counted again: the longer it takes, the more rarely. Whoever else counts them has the row.
SELECT n.organization_id, o.time_zone AS zone, clock_timestamp() AS now
FROM numbers_counts n JOIN organizations o ON o.id = n.organization_id
WHERE n.counted_at IS NULL OR n.counted_at < clock_timestamp() - greatest(CAST(:every AS interval), 30 * n.took)
ORDER BY n.counted_at NULLS FIRST LIMIT 1 FOR UPDATE OF n SKIP LOCKED

-- name: count
-- One kind of row. It writes only what is different.
WITH found AS MATERIALIZED ({found}),
gone AS (DELETE FROM counted_numbers k WHERE organization_id = :organization_id AND k.kind = ANY(:kinds) AND NOT EXISTS (SELECT FROM found f
  WHERE f.viewer_id = k.viewer_id AND f.kind = k.kind AND f.key = k.key AND f.week = k.week))
INSERT INTO counted_numbers AS k (organization_id, viewer_id, kind, key, week, sent, people, answered, interested, bounced, opted_out,
  in_doubt, held)
SELECT :organization_id, viewer_id, kind, key, week, sent, people, answered, interested, bounced, opted_out, in_doubt, held FROM found
ON CONFLICT (viewer_id, kind, key, week) DO UPDATE SET sent = excluded.sent, people = excluded.people, answered = excluded.answered,
  interested = excluded.interested, bounced = excluded.bounced, opted_out = excluded.opted_out, in_doubt = excluded.in_doubt,
  held = excluded.held
WHERE (k.sent, k.people, k.answered, k.interested, k.bounced, k.opted_out, k.in_doubt, k.held) IS DISTINCT FROM
  (excluded.sent, excluded.people, excluded.answered, excluded.interested, excluded.bounced, excluded.opted_out, excluded.in_doubt,
  excluded.held)

-- name: done
UPDATE numbers_counts SET counted_at = CAST(:at AS timestamptz), took = clock_timestamp() - CAST(:at AS timestamptz) WHERE organization_id = :organization_id
