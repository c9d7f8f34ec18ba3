"""Asks registered models about raw rows as Python users do, and prints what they say, as JSON.

Usage: mlflow-raw-rows.py PENGUINS_CSV MODEL...   with MLFLOW_TRACKING_URI set
"""

import json
import sys

import mlflow
import numpy as np
import onnxruntime
import pandas as pd

csv, *names = sys.argv[1:]
frame = pd.read_csv(csv)
frame = frame[frame["Body Mass (g)"].notna()].reset_index(drop=True)
frame.loc[::10, "Beak Depth (mm)"] = np.nan
columns = ["Island", "Beak Length (mm)", "Beak Depth (mm)", "Flipper Length (mm)", "Sex"]


def said(model, rows, order=None):
    """By the names of the graph's outputs, the rows in their first order."""
    asked = {"prediction": None}
    if model.metadata.metadata["class_labels"]:
        asked = {"label": None, "probabilities": {"predict_method": "predict_proba"}}
    answers = {name: model.predict(rows, params=params) for name, params in asked.items()}
    order = slice(None) if order is None else order
    return {name: values[order].tolist() for name, values in answers.items()}


def by_onnxruntime(name):
    path = mlflow.artifacts.download_artifacts(f"models:/{name}/1")
    session = onnxruntime.InferenceSession(f"{path}/model.onnx")
    feed = {}
    for value in session.get_inputs():
        column = frame[value.name]
        if value.type == "tensor(string)":
            feed[value.name] = column.fillna("").to_numpy(dtype=object).reshape(-1, 1)
        else:
            feed[value.name] = column.to_numpy(dtype=np.float32).reshape(-1, 1)
    outputs = [output.name for output in session.get_outputs()]
    return {name: values.tolist() for name, values in zip(outputs, map(np.asarray, session.run(outputs, feed)))}


def ask(name):
    model = mlflow.pyfunc.load_model(f"models:/{name}/1")
    # Rows in another order keep their index, columns stand in another order, whole numbers are int64, and more are there.
    shuffled = frame[sorted(frame.columns)].sample(frac=1, random_state=1).astype({"Flipper Length (mm)": "int64"})
    try:
        model.predict(frame.drop(columns="Sex"))
        missing = "nothing"
    except ValueError as error:
        missing = str(error)
    return {
        "answers": {
            "frame": said(model, frame[columns]),
            "shuffled": said(model, shuffled, np.argsort(shuffled.index.to_numpy())),
            "dictionary": said(model, {column: list(frame[column]) for column in columns}),
            "array": said(model, frame[columns].to_numpy()),
            "onnxruntime": by_onnxruntime(name),
        },
        "example": said(model, model.input_example),
        "signature": [f"{spec['name']}: {spec['type']}" for spec in model.metadata.signature.inputs.to_dict()],
        "missing": missing,
    }


json.dump([ask(name) for name in names], sys.stdout)
