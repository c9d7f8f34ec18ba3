"""Asks model directories about tables by mlflow.pyfunc: python pyfunc-rows.py DIR CSV [DIR CSV ...]; prints what they say, as JSON."""

import json
import sys

import mlflow
import pandas as pd

said = []
for folder, csv in zip(sys.argv[1::2], sys.argv[2::2]):
    model = mlflow.pyfunc.load_model(folder)
    frame = pd.read_csv(csv)
    answer = model.predict(frame)
    one = {"dtype": str(answer.dtype), "prediction": answer.tolist()}
    if model.metadata.metadata["class_labels"]:
        one["probabilities"] = model.predict(frame, params={"predict_method": "predict_proba"}).tolist()
    said.append(one)
json.dump(said, sys.stdout)
