-- name: everyone
SELECT id, kind, host, pid, queues, version, schema, key_ids, troubles, works, started_at, seen_at, last_job_at, stopped_at
FROM processes ORDER BY stopped_at IS NOT NULL, kind, host, pid

-- name: roles
-- No host and no trouble: also for members.
SELECT w.role, max(coalesce(p.stopped_at, p.seen_at)) AS seen_at, count(*) FILTER (WHERE {runs}) AS running,
  count(*) FILTER (WHERE p.works AND {runs}) AS working
FROM unnest(CAST(:roles AS text[])) WITH ORDINALITY AS w (role, place)
LEFT JOIN processes p ON p.kind = w.role OR w.role = ANY(p.queues)
WHERE EXISTS (SELECT FROM processes) GROUP BY w.role, w.place ORDER BY w.place

-- name: runs
p.stopped_at IS NULL AND p.seen_at > clock_timestamp() - CAST(:silent AS interval)
