#!/bin/bash
# Run once by the postgres image, on an empty volume: a user each for Temporal and MLflow, who own their databases and can reach no others.
# docs/upgrading.md has the same for a volume that is older.
set -euo pipefail

# Passwords go in as variables of psql, which quotes them.
own() {
  local user=$1 password=$2
  shift 2
  psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 --set user="$user" --set password="$password" <<'SQL'
create role :"user" login password :'password' nosuperuser nocreatedb nocreaterole;
SQL
  local database
  for database in "$@"; do
    psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 --set user="$user" --set database="$database" <<'SQL'
create database :"database" owner :"user";
revoke connect, temporary on database :"database" from public;
SQL
  done
}

own temporal "$TEMPORAL_DB_PASSWORD" temporal temporal_visibility
own mlflow "$MLFLOW_DB_PASSWORD" mlflow
psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 \
  --command 'revoke connect on database postgres, template1 from public'
