-- name: beat
-- No excluded.…: it would take the right to read those columns, which web and inbox do not have.
INSERT INTO processes (id, kind, host, pid, queues, version, schema, key_ids, troubles, works, last_job_at)
VALUES (:id, :kind, :host, :pid, :queues, :version, :schema, :key_ids, :troubles, :works, clock_timestamp() - CAST(:idle AS interval))
ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp(), troubles = CAST(:troubles AS text[]), works = :works,
  last_job_at = coalesce(clock_timestamp() - CAST(:idle AS interval), processes.last_job_at)
