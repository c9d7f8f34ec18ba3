"""Loads a registered model as Python users do and prints what it says, as JSON.

Usage: mlflow-load.py MODEL CSV   with MLFLOW_TRACKING_URI set
"""

import json
import sys

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec

name, csv = sys.argv[1:3]
features = pd.read_csv(csv).iloc[:, :4]
model = mlflow.pyfunc.load_model(f"models:/{name}@production")


def said(data, model=model):
    return {
        "label": model.predict(data).tolist(),
        "probabilities": model.predict(data, params={"predict_method": "predict_proba"}).tolist(),
    }


signature = model.metadata.signature
written_by_mlflow = ModelSignature(
    inputs=Schema([ColSpec("double", name) for name in features.columns]),
    outputs=Schema([TensorSpec(np.dtype("str"), (-1,))]),
    params=ParamSchema([ParamSpec("predict_method", "string", "predict")]),
)
raw = mlflow.onnx.load_model(f"models:/{name}/1")
json.dump(
    {
        "frame": said(features),
        "array": said(features.to_numpy()),
        "by_version": said(features, mlflow.pyfunc.load_model(f"models:/{name}/1")),
        "example": said(model.input_example),
        "example_columns": list(model.input_example.columns),
        "signature_equal": signature.to_dict() == written_by_mlflow.to_dict(),
        "metadata": model.metadata.metadata,
        "created": model.metadata.utc_time_created,
        "graph": raw.graph.name,
        "dataset": mlflow.data.get_source(mlflow.get_run(model.metadata.run_id).inputs.dataset_inputs[0]).uri,
    },
    sys.stdout,
)
