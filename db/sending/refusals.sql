-- name: others
SELECT EXISTS (SELECT FROM deliveries d WHERE d.mailbox_id = :mailbox_id AND d.state = 'sent'
    AND d.sent_at > CAST(:since AS timestamptz)) AS accepted_since, count(*) AS refused, min(first_failed_at) AS refused_since
FROM deliveries WHERE mailbox_id = :mailbox_id AND state = 'pending' AND reason = :reason AND id <> :id
