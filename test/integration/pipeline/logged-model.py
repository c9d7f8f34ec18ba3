"""Looks at what a run of ours left, as MLflow 3's own clients do, and prints it as JSON.

Usage: logged-model.py MODEL CSV   with MLFLOW_TRACKING_URI set
"""

import json
import sys

import mlflow
import pandas as pd

name, csv = sys.argv[1:3]
client = mlflow.MlflowClient()
version = client.get_model_version_by_alias(name, "production")
run = mlflow.get_run(version.run_id)
(output,) = run.outputs.model_outputs
logged = mlflow.get_logged_model(output.model_id)
rows = pd.read_csv(csv)
answers = {
    uri: mlflow.pyfunc.load_model(uri).predict(rows).tolist()
    for uri in (
        f"models:/{name}@production",
        f"models:/{name}/{version.version}",
        f"models:/{output.model_id}",
        f"runs:/{version.run_id}/model",
    )
}
json.dump(
    {
        "same": len({json.dumps(labels) for labels in answers.values()}),
        "accuracy": float((pd.Series(answers[f"models:/{name}@production"]) == rows["species"]).mean()),
        "status": str(logged.status),
        "type": logged.model_type,
        "metrics": {metric.key: metric.value for metric in logged.metrics},
        "run_metrics": run.data.metrics,
        "source_run": logged.source_run_id == version.run_id,
        "versions": json.loads(logged.tags["mlflow.modelVersions"]),
        "flavors": sorted(mlflow.models.get_model_info(f"models:/{output.model_id}").flavors),
        "description": version.description,
        "user": run.data.tags["mlflow.user"],
        "count": len(mlflow.search_logged_models(experiment_ids=[run.info.experiment_id], output_format="list")),
    },
    sys.stdout,
)
