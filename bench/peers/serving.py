"""A FastAPI server with a scikit-learn forest, as tutorials have it.

Usage: serving.py CSV TARGET PORT
"""

import sys

import numpy as np
import pandas as pd
import uvicorn
from fastapi import FastAPI
from pydantic import create_model
from sklearn.ensemble import RandomForestClassifier

csv, target, port = sys.argv[1:4]
table = pd.read_csv(csv, nrows=120_000).dropna()
names = [name for name in table.columns if name != target and not name.startswith("Unnamed")]
forest = RandomForestClassifier(n_estimators=100, max_depth=10, random_state=42, n_jobs=1).fit(
    table[names].to_numpy(), table[target]
)
fields = {f"c{at}": (float, ...) for at in range(len(names))}
Row = create_model("Row", **fields)
app = FastAPI()


@app.get("/ping")
def ping():
    return {}


@app.post("/predict")
def predict(row: Row):
    values = np.array([[getattr(row, name) for name in fields]])
    probabilities = forest.predict_proba(values)[0]
    return {"prediction": int(probabilities.argmax()), "probabilities": probabilities.tolist()}


uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)
