"""check_raw.py FOLDER N: checks FOLDER/<i>.onnx with onnx.checker and compares onnxruntime's predictions for the raw
columns in <i>.json with those in <i>.expected.f64. A missing number goes in as NaN, a missing text as ""."""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

folder, count = Path(sys.argv[1]), int(sys.argv[2])


def tensor(column):
    values = column["values"]
    if column["kind"] == "number":
        cells = [float("nan") if value is None else float(value) for value in values]
        with np.errstate(over="ignore"):
            return np.array(cells, dtype=np.float32).reshape(-1, 1)
    return np.array(["" if value is None else value for value in values], dtype=object).reshape(-1, 1)


for i in range(count):
    onnx.checker.check_model(onnx.load(folder / f"{i}.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(str(folder / f"{i}.onnx"))
    feed = {column["name"]: tensor(column) for column in json.loads((folder / f"{i}.json").read_text())}
    expected = np.fromfile(folder / f"{i}.expected.f64", np.float64)
    names = [output.name for output in session.get_outputs()]
    name = "probabilities" if "probabilities" in names else "prediction"
    (got,) = session.run([name], feed)
    np.testing.assert_allclose(got.ravel(), expected, rtol=1e-6, atol=1e-6, err_msg=f"model {i}")
print(f"{count} models agree")
