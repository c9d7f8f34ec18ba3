/** Name of the Python module that loads a model with one input per raw column. */
export const LOADER_MODULE = 'retrain_model';

/**
 * That module's code, kept in the model directory. MLflow's own loader for ONNX takes a DataFrame for such a model only
 * when its index starts at 0 and its first row lacks no text, and cannot give back labels beside probabilities
 * (docs/decisions/0007).
 */
export const LOADER_CODE = `"""Loads model.onnx for mlflow.pyfunc: each column of a DataFrame goes into the input of its name.

A missing number is NaN. A missing text is the empty one; blanks around a text do not count, as in training.
"""

import numpy as np
import onnxruntime
import pandas as pd


class Model:
    def __init__(self, path):
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        self.inputs = [(value.name, value.type) for value in self.session.get_inputs()]
        self.outputs = [value.name for value in self.session.get_outputs()]

    def predict(self, data, params=None):
        frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame(data)
        feed = {name: tensor(frame[name], kind) for name, kind in self.inputs}
        return dict(zip(self.outputs, self.session.run(self.outputs, feed)))


def tensor(column, kind):
    """One column as onnxruntime takes it, [n, 1]."""
    if kind == "tensor(string)":
        texts = ["" if missing else str(text).strip() for text, missing in zip(column, column.isna())]
        return np.array(texts, dtype=object).reshape(-1, 1)
    return pd.to_numeric(column).to_numpy(dtype=np.float32, na_value=np.nan).reshape(-1, 1)


def _load_pyfunc(path):
    return Model(path)
`;
