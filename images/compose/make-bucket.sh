#!/bin/sh
# MLflow's bucket, and a user who may use it and nothing else. Can be run again at any time.
set -eu
mc mb --ignore-existing storage/mlflow
mc admin policy create storage mlflow /compose/bucket-policy.json
mc admin user add storage mlflow "$MLFLOW_S3_SECRET_KEY"
# Attaching what is attached is an error.
mc admin policy entities storage --user mlflow | grep -q mlflow || mc admin policy attach storage mlflow --user mlflow
mc admin policy entities storage --user mlflow
