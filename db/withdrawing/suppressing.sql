-- name: concerned
-- People with a place in a sequence, whom these entries forbid to write to, and the mailboxes that send to them.
SELECT e.candidate_id, s.mailbox_id
FROM candidates c JOIN enrollments e ON e.candidate_id = c.id JOIN sequences s ON s.id = e.sequence_id
WHERE c.organization_id = :organization_id AND (c.email = ANY(CAST(:addresses AS text[]))
  OR EXISTS (SELECT FROM unnest(CAST(:domains AS text[])) AS x (domain)
    WHERE split_part(c.email, '@', 2) = x.domain OR right(split_part(c.email, '@', 2), length(x.domain) + 1) = '.' || x.domain))
