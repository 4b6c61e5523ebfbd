#!/usr/bin/env bash
# Makes the servers of compose.yaml into one cluster; changes nothing the second time.
set -euo pipefail

ask() { psql --no-psqlrc --set ON_ERROR_STOP=1 --tuples-only --username postgres "$@"; }

has_database=$(ask --host database --command "SELECT 1 FROM pg_database WHERE datname = 'rapport'")
if [ -z "${has_database//[[:space:]]/}" ]; then
    ask --host database --command "CREATE DATABASE rapport"
fi
for node in database worker-1 worker-2; do
    ask --host "$node" --dbname rapport --command "CREATE EXTENSION IF NOT EXISTS citus"
done
ask --host database --dbname rapport <<'SQL'
SELECT citus_set_coordinator_host('database');
SELECT citus_add_node(name, 5432) FROM unnest(ARRAY['worker-1', 'worker-2']) name
 WHERE NOT EXISTS (SELECT FROM pg_dist_node WHERE nodename = name);
-- Platform tables stay on the coordinator; companies go to the workers.
SELECT citus_set_node_property('database', 5432, 'shouldhaveshards', false);
SQL
