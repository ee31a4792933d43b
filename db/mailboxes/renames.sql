-- name: note_rename
UPDATE mailboxes SET former_addresses = array_append(array_remove(former_addresses, :now), :before),
  renamed_at = CASE WHEN :renamed THEN clock_timestamp() ELSE renamed_at END WHERE id = :id
RETURNING clock_timestamp()

-- name: new_names
SELECT former.address AS before, b.address FROM mailboxes b CROSS JOIN LATERAL unnest(b.former_addresses) AS former(address)
WHERE b.organization_id = :id AND NOT EXISTS (SELECT FROM mailboxes o WHERE o.address = former.address)
  AND NOT EXISTS (SELECT FROM members m WHERE m.organization_id = :id AND m.email = former.address) ORDER BY b.id
