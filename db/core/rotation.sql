-- name: take_older
SELECT {key} AS key, {organization} AS organization_id, {row} AS row_id, {column} AS sealed FROM {table}
WHERE {key} > :after AND substr({column}, 2, 8) <> :newest ORDER BY {key} LIMIT :limit FOR UPDATE SKIP LOCKED

-- name: encrypt_again
UPDATE {table} SET {column} = :sealed WHERE {key} = :key

-- name: count_older
SELECT count(*) FROM {table} WHERE substr({column}, 2, 8) <> :newest
