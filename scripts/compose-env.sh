#!/usr/bin/env bash
# Makes .retrain/compose.env: passwords of the servers of docker-compose.yml, by chance, for those that are not there yet. The workers, who have
# the project's folder, do not see it: .retrain is covered in their containers. Prints the options that docker compose takes.
set -euo pipefail
cd "$(dirname "$0")/.."
state=.retrain
mkdir -p "$state" "${RETRAIN_PROJECT:-.}/.retrain"
chmod 700 "$state"
[ -e "$state/.gitignore" ] || echo '*' >"$state/.gitignore"
file=$state/compose.env
(umask 077 && touch "$file")
chmod 600 "$file"
for name in POSTGRES_PASSWORD TEMPORAL_DB_PASSWORD MLFLOW_DB_PASSWORD MINIO_ROOT_PASSWORD MLFLOW_S3_SECRET_KEY GRAFANA_PASSWORD; do
  grep -q "^$name=" "$file" || echo "$name=$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')" >>"$file"
done
if [ -e .env ]; then printf -- '--env-file .env '; fi
printf -- '--env-file %s\n' "$file"
