"""Uses a registered classifier of 0 and 1 as Python users do, and prints what comes of it, as JSON.

Usage: mlflow-pyfunc.py CSV MODEL   with MLFLOW_TRACKING_URI set; the CSV has the columns zip (digits), size and y
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import mlflow
import numpy as np
import pandas as pd

csv, name = sys.argv[1:3]
uri = f"models:/{name}/1"
frame = pd.read_csv(csv)
texts = pd.read_csv(csv, dtype={"zip": str})
model = mlflow.pyfunc.load_model(uri)


def failed(call):
    try:
        return f"no error: {call()}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def evaluated():
    with mlflow.start_run():
        result = mlflow.models.evaluate(uri, frame, targets="y", model_type="classifier")
    return {key: result.metrics[key] for key in ("accuracy_score", "f1_score")}


def ask(port, content_type, body):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations", data=body.encode(), headers={"Content-Type": content_type}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)["predictions"]
    except urllib.error.HTTPError as error:
        return f"{error.code}: {error.read().decode()[:500]}"


def served():
    """What `mlflow models serve` answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "models", "serve", "-m", uri, "-p", str(port), "--env-manager", "local"],
        stdout=sys.stderr,
        stderr=sys.stderr,
        env={**os.environ, "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"},
        start_new_session=True,
    )
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        example = json.load(open(f"{mlflow.artifacts.download_artifacts(uri)}/serving_input_example.json"))
        columns = texts[["zip", "size"]]
        return {
            "csv": ask(port, "text/csv", columns.to_csv(index=False)),
            "json": ask(port, "application/json", json.dumps({"inputs": columns.to_dict(orient="list")})),
            "example": ask(port, "application/json", json.dumps(example)),
            "proba": ask(
                port,
                "application/json",
                json.dumps({"inputs": columns.to_dict(orient="records"), "params": {"predict_method": "predict_proba"}}),
            ),
        }
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


answers = model.predict(frame)
gaps = frame.astype({"size": float})
gaps.loc[0, "size"] = np.nan
json.dump(
    {
        "type": str(answers.dtype),
        "accuracy": float((answers == frame["y"]).mean()),
        "answers": {
            "read_csv": answers.tolist(),
            "texts": model.predict(texts).tolist(),
            "category": model.predict(frame.astype({"zip": "category"})).tolist(),
            "category of texts": model.predict(texts.astype({"zip": "category"})).tolist(),
            "floats beside a gap": model.predict(frame.astype({"zip": "float64"})).tolist(),
            "nullable": model.predict(frame.convert_dtypes()).tolist(),
            "array": model.predict(frame[["zip", "size"]].to_numpy()).tolist(),
            "array of objects": model.predict(texts[["zip", "size"]].to_numpy()).tolist(),
            "records": model.predict(frame.to_dict(orient="records")).tolist(),
            "dictionary": model.predict({"zip": frame["zip"], "size": frame["size"]}).tolist(),
        },
        "one": model.predict({"zip": "101", "size": 3}).tolist(),
        "gap": model.predict(gaps).tolist()[1:],
        "proba": model.predict(frame, params={"predict_method": "predict_proba"}).tolist(),
        "errors": {
            "column": failed(lambda: model.predict(frame[["zip"]])),
            "width": failed(lambda: model.predict(np.zeros((2, 3)))),
            "number": failed(lambda: model.predict(frame.assign(size="big"))),
            "method": failed(lambda: model.predict(frame, params={"predict_method": "predict_log"})),
        },
        "signature": {
            "inputs": [f"{spec['name']}: {spec['type']}" for spec in model.metadata.signature.inputs.to_dict()],
            "outputs": model.metadata.signature.outputs.to_dict(),
        },
        "evaluated": evaluated(),
        "served": served(),
    },
    sys.stdout,
)
