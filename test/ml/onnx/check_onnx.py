"""check_onnx.py FOLDER N: checks FOLDER/<i>.onnx with onnx.checker and compares onnxruntime's predictions for
the rows in <i>.f32 (float32, row-major) with those in <i>.expected.f64."""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

folder, count = Path(sys.argv[1]), int(sys.argv[2])
for i in range(count):
    model = onnx.load(folder / f"{i}.onnx")
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(str(folder / f"{i}.onnx"))
    width = session.get_inputs()[0].shape[1]
    rows = np.fromfile(folder / f"{i}.f32", np.float32).reshape(-1, width)
    expected = np.fromfile(folder / f"{i}.expected.f64", np.float64)
    names = [output.name for output in session.get_outputs()]
    name = "probabilities" if "probabilities" in names else "prediction"
    (got,) = session.run([name], {"input": rows})
    np.testing.assert_allclose(got.ravel(), expected, rtol=1e-6, atol=1e-6, err_msg=f"model {i}")
print(f"{count} models agree")
