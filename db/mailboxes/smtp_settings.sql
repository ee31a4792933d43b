-- name: sends_by
SELECT b.address, l.zone, h.name AS mailbox_owner, o.name AS organization, y.name AS entity, o.sender_name,
  w.name AS writer, w.email AS writer_email FROM mailboxes b JOIN lanes l ON l.mailbox_id = b.id
JOIN organizations o ON o.id = b.organization_id LEFT JOIN members h ON h.id = b.owner_id
LEFT JOIN legal_entities y ON y.id = b.legal_entity_id LEFT JOIN members w ON w.id = :writer WHERE b.id = :id

-- name: save
INSERT INTO smtp_settings (mailbox_id, provider, organization_id, host, port, encryption, account, password)
VALUES (:id, :provider, :organization_id, :host, :port, :encryption, :account, :password)
ON CONFLICT (mailbox_id, provider) DO UPDATE SET host = excluded.host, port = excluded.port,
  encryption = excluded.encryption, account = excluded.account, password = :password,
  updated_at = clock_timestamp()
