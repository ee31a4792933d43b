-- name: beat
INSERT INTO processes (id, kind, host, pid, queues, version, schema, key_ids, troubles, last_job_at)
VALUES (:id, :kind, :host, :pid, :queues, :version, :schema, :key_ids, :troubles, clock_timestamp() - CAST(:idle AS interval))
ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp(), troubles = excluded.troubles,
  last_job_at = coalesce(excluded.last_job_at, processes.last_job_at)
