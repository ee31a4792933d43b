-- Each names the mailbox that the email left: its sequence may have been handed over since.

-- name: known
SELECT c.id AS candidate_id, c.email, o.name AS organization, coalesce(h.name, w.name, '') AS sender,
  coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS person, o.time_zone AS zone
FROM candidates c JOIN organizations o ON o.id = c.organization_id
LEFT JOIN LATERAL (SELECT s.owner_id, coalesce(d.mailbox_id, s.mailbox_id) AS mailbox_id
  FROM enrollments e JOIN sequences s ON s.id = e.sequence_id
  LEFT JOIN deliveries d ON d.id = :delivery_id AND d.enrollment_id = e.id
  WHERE e.candidate_id = c.id ORDER BY d.id IS NOT NULL DESC, e.id DESC LIMIT 1) s ON true
LEFT JOIN members w ON w.id = s.owner_id
LEFT JOIN mailboxes b ON b.id = s.mailbox_id LEFT JOIN members h ON h.id = b.owner_id
WHERE c.id = :candidate_id AND c.organization_id = :organization_id

-- name: stand
-- ``emails``: that would still come, or that the opt-out stopped.
SELECT
  (SELECT created_at FROM suppressions WHERE organization_id = :organization_id AND kind = 'address' AND value = :email
    AND lifted_at IS NULL) AS stopped_at,
  (SELECT count(*) FROM enrollments e JOIN steps t ON t.sequence_id = e.sequence_id AND t.retired_at IS NULL
    WHERE e.candidate_id = :candidate_id AND (e.status IN ('active', 'paused') OR e.reason = 'opted_out')
      AND NOT EXISTS (SELECT FROM deliveries d WHERE d.enrollment_id = e.id AND d.step_id = t.id
        AND d.state IN ('sending', 'in_doubt', 'review', 'sent'))) AS emails,
  (SELECT count(*) FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id
    WHERE e.candidate_id = :candidate_id AND d.state = 'sent') AS sent,
  ARRAY(SELECT d.send_started_at FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id
    WHERE e.candidate_id = :candidate_id AND d.state IN ('sending', 'in_doubt', 'review') ORDER BY 1) AS in_doubt

-- name: about
-- The enrollment that an opt-out is recorded for: the email's, or the newest.
SELECT e.id AS enrollment_id, e.sequence_id, s.name AS sequence, b.id AS mailbox_id, b.address AS mailbox
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id
LEFT JOIN deliveries d ON d.id = :delivery_id AND d.enrollment_id = e.id
JOIN mailboxes b ON b.id = coalesce(d.mailbox_id, s.mailbox_id)
WHERE e.candidate_id = :candidate_id ORDER BY d.id IS NOT NULL DESC, e.id DESC LIMIT 1
