#!/bin/sh
# Run once by an administrator, before the first migration; the postgres image does so when it makes its database.
# Every process has a role of its own (docs/decisions/0015); onbehalf_migrate owns the tables and is used by migrations only.
# On a database that is there already: also REASSIGN OWNED BY <the former user> TO onbehalf_migrate.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    -v migrate="$MIGRATE_PASSWORD" -v web="$WEB_PASSWORD" -v worker="$WORKER_PASSWORD" -v metrics="$METRICS_PASSWORD" \
    -v inbox="$INBOX_PASSWORD" <<'SQL'
CREATE ROLE onbehalf_tenant NOLOGIN;
CREATE ROLE onbehalf_migrate LOGIN PASSWORD :'migrate';
CREATE ROLE onbehalf_web NOINHERIT LOGIN PASSWORD :'web';
CREATE ROLE onbehalf_worker LOGIN PASSWORD :'worker';
CREATE ROLE onbehalf_metrics LOGIN PASSWORD :'metrics';
CREATE ROLE onbehalf_inbox LOGIN PASSWORD :'inbox';
GRANT onbehalf_tenant TO onbehalf_web;
GRANT onbehalf_tenant TO onbehalf_migrate;
SELECT format('ALTER DATABASE %I OWNER TO onbehalf_migrate', current_database()) \gexec
ALTER SCHEMA public OWNER TO onbehalf_migrate;
REVOKE CREATE ON SCHEMA public FROM PUBLIC; -- before PostgreSQL 15, everybody might
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO onbehalf_web, onbehalf_worker, onbehalf_metrics, onbehalf_inbox', current_database()) \gexec
SQL
