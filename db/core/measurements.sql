-- name: is_due
-- A little less than the interval: schedulers do not tick to the millisecond.
SELECT NOT EXISTS (SELECT FROM measurements WHERE minute > clock_timestamp() - interval '2 minutes'
  AND measured_at > clock_timestamp() - 0.8 * CAST(:every AS interval))

-- name: keep
WITH older AS (UPDATE measurements SET details = NULL WHERE details IS NOT NULL
  AND minute > clock_timestamp() - interval '1 hour' AND minute < date_trunc('minute', clock_timestamp()))
INSERT INTO measurements (minute, figures, details)
VALUES (date_trunc('minute', clock_timestamp()), CAST(:figures AS jsonb), CAST(:details AS jsonb))
ON CONFLICT (minute) DO UPDATE SET measured_at = clock_timestamp(), figures = excluded.figures, details = excluded.details

-- name: newest
SELECT measured_at, clock_timestamp() AS now, details FROM measurements ORDER BY minute DESC LIMIT 1

-- name: history
-- A step without a measurement has a row too: a picture shows where nothing was measured.
SELECT s.at, m.sent, m.due, m.overdue, m.queue_lag, m.in_doubt, m.unread, h.lags, m.attempts, m.attempts_failed
FROM generate_series({this_step} - CAST(:span AS interval) + CAST(:step AS interval), {this_step}, CAST(:step AS interval)) AS s (at)
LEFT JOIN (
  SELECT date_bin(CAST(:step AS interval), minute, 'epoch') AS at, avg(CAST(figures->>'sent_last_minute' AS float)) AS sent,
    max(CAST(figures->>'due' AS int)) AS due, max(CAST(figures->>'overdue_for_no_reason' AS int)) AS overdue,
    max(CAST(figures->>'queue_lag' AS float)) AS queue_lag, max(CAST(figures->>'in_doubt' AS int)) AS in_doubt,
    max(CAST(figures->>'unread' AS int)) AS unread, sum(CAST(figures->>'attempts' AS int)) AS attempts,
    sum(CAST(figures->>'attempts_failed' AS int)) AS attempts_failed
  FROM measurements WHERE minute > now() - CAST(:span AS interval) GROUP BY 1) m USING (at)
LEFT JOIN (
  SELECT at, array_agg(number ORDER BY place) AS lags FROM (
    SELECT date_bin(CAST(:step AS interval), minute, 'epoch') AS at, r.place, sum(CAST(r.number AS int)) AS number
    FROM measurements, jsonb_array_elements_text(figures->'lags') WITH ORDINALITY AS r (number, place)
    WHERE minute > now() - CAST(:span AS interval) GROUP BY 1, 2) counted GROUP BY at) h USING (at) ORDER BY s.at

-- name: this_step
date_bin(CAST(:step AS interval), now(), 'epoch')
