-- name: is_taken
SELECT EXISTS (SELECT FROM mailboxes WHERE address = :address AND id <> :id)
  OR EXISTS (SELECT FROM members WHERE organization_id = :organization_id AND email = :address
    AND id IS DISTINCT FROM CAST(:owner AS uuid))
