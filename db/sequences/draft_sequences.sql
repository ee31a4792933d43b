-- name: set_back
UPDATE sequences SET status = 'draft', set_back_at = coalesce(paused_at, clock_timestamp()), set_back_by = :by,
  paused_cause = NULL, paused_reason = NULL, paused_at = NULL, version = version + 1
WHERE id = :id AND status IN ('active', 'paused') RETURNING version
