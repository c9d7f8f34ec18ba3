"""Saves ONNX models with mlflow.onnx and asks them by mlflow.pyfunc: python ask-pyfunc.py FOLDER NAME...

Reads FOLDER/NAME.onnx and NAME.json of export-sklearn.py, makes the model directory FOLDER/NAME, prints what pyfunc says, as JSON.
"""

import json
import sys

import mlflow
import numpy as np
import onnx
import pandas as pd
from mlflow.models import ModelSignature, infer_signature
from mlflow.types.schema import Schema, TensorSpec

folder, *names = sys.argv[1:]


def tensor_signature(about):
    if about["byColumn"]:
        kinds = [np.dtype(np.float32) if isinstance(v, (int, float)) else np.dtype(object) for v in about["rows"][0]]
        # MLflow calls texts "str" in tensors.
        specs = [
            TensorSpec(np.dtype(str) if kind == object else kind, (-1, 1), name)
            for name, kind in zip(about["columns"], kinds)
        ]
        return ModelSignature(inputs=Schema(specs))
    return ModelSignature(inputs=Schema([TensorSpec(np.dtype(np.float32), (-1, len(about["columns"])))]))


def plain(value):
    """ZipMap's list of dictionaries, or an array, as lists."""
    if isinstance(value, list):
        return {"classes": list(value[0].keys()), "rows": [list(row.values()) for row in value]}
    return np.asarray(value).tolist()


def ask(name):
    with open(f"{folder}/{name}.json") as file:
        about = json.load(file)
    columns, rows = about["columns"], about["rows"]
    frame = pd.DataFrame(rows, columns=columns)
    maps = name.endswith("-zipmap") or name == "regression"
    signature = None if name == "forest-words" else tensor_signature(about)
    if maps and not about["byColumn"]:
        signature = infer_signature(frame)
    model = onnx.load(f"{folder}/{name}.onnx")
    example = {"input_example": frame.head(5)} if name == "regression" else {}
    # MLflow finds out what a model needs by loading it in a process of its own, some seconds each: once will do.
    needs = {} if name == "regression" else {"pip_requirements": ["onnxruntime"]}
    mlflow.onnx.save_model(model, f"{folder}/{name}", signature=signature, **example, **needs)
    loaded = mlflow.pyfunc.load_model(f"{folder}/{name}")
    if about["byColumn"]:
        feed = {}
        for at, column in enumerate(columns):
            values = [row[at] for row in rows]
            kind = np.float32 if isinstance(values[0], (int, float)) else str
            feed[column] = np.array(values, dtype=kind).reshape(-1, 1)
        said = loaded.predict(feed)
    elif maps:
        said = {key: list(values) for key, values in loaded.predict(frame).items()}
        return {key: plain(values) if isinstance(values[0], dict) else np.asarray(values).tolist() for key, values in said.items()}
    else:
        said = loaded.predict(np.array(rows, dtype=np.float32))
    return {key: plain(value) for key, value in said.items()}


json.dump({name: ask(name) for name in names}, sys.stdout)
