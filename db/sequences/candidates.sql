-- name: upsert
WITH written AS (INSERT INTO candidates AS c (organization_id, id, email, {columns}, fields)
  SELECT :organization_id, r.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, email text,
    {typed}, fields jsonb)
  ON CONFLICT (organization_id, email) DO UPDATE SET {changes}
  WHERE ({before}) IS DISTINCT FROM ({after})
  -- An updated row carries the transaction that locked it in xmax; a new row has 0.
  RETURNING c.xmax = 0 AS created)
SELECT count(*) FILTER (WHERE created) AS created, count(*) FILTER (WHERE NOT created) AS updated FROM written

-- name: destination
SELECT s.id, s.name, s.status, s.fields, b.address AS sender, b.provider, b.status AS mailbox_status,
  coalesce(h.name, w.name) AS sender_name, b.signature, b.signature_version, s.with_signature, o.time_zone FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id
JOIN organizations o ON o.id = s.organization_id JOIN members w ON w.id = s.owner_id
LEFT JOIN members h ON h.id = b.owner_id WHERE s.id = :id
