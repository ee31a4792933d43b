-- name: others
-- An email that was given up counts until the mailbox's next one is accepted, also if somebody has left it out since.
WITH accepted AS (SELECT max(sent_at) AS at FROM deliveries WHERE mailbox_id = :mailbox_id AND state = 'sent')
SELECT coalesce((SELECT at FROM accepted) > CAST(:since AS timestamptz), false) AS accepted_since,
  count(*) AS refused, min(first_failed_at) AS refused_since
FROM deliveries WHERE mailbox_id = :mailbox_id AND id <> :id AND (state = 'pending' AND reason = :reason
  OR state = 'closed' AND reason IN (:given_up, 'left_out_by_hand')
    AND first_failed_at > coalesce((SELECT at FROM accepted), '-infinity'))
