/** Name of the Python module that loads a model. Another version of it needs another name: Python loads a name once. */
export const LOADER_MODULE = 'retrain_pyfunc';

/**
 * That module's code, kept in the model directory. It takes rows as people have them, and answers in the target's own type; MLflow's own
 * loader for ONNX does neither (docs/decisions/0013).
 */
export const LOADER_CODE = `"""Loads model.onnx for mlflow.pyfunc.

Takes a DataFrame (columns by name, in any order, more than needed), a dictionary of columns, a list of records, or a NumPy array
or list of rows with the columns in the model's order. A missing number is NaN, None or NA; a missing text too, or the empty one. Blanks
around a text do not count, as in training. Text columns may hold whole numbers and categories.

predict answers an array: labels of the target's own type, or numbers. params={"predict_method": "predict_proba"} answers the
probabilities, a column per class in the order of the class_labels of the model's metadata.
"""

import os

import numpy as np
import onnxruntime
import pandas as pd
import yaml

METHODS = ("predict", "predict_proba")

OF_TEXT = {
    "int64": int,
    "float64": float,
    "bool": lambda text: text.lower() == "true",
    "str": str,
}


class Model:
    def __init__(self, path):
        with open(os.path.join(os.path.dirname(path), "MLmodel"), encoding="utf-8") as file:
            about = yaml.safe_load(file)["metadata"]
        self.columns = about["feature_names"]
        self.label_type = about["label_type"]
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        self.inputs = self.session.get_inputs()
        self.outputs = [value.name for value in self.session.get_outputs()]
        # One input for each column, or one for the rows.
        self.by_column = all(value.name in self.columns and value.shape[-1] == 1 for value in self.inputs)

    def predict(self, data, params=None):
        method = (params or {}).get("predict_method", METHODS[0])
        if method not in METHODS:
            raise ValueError(f"predict_method must be one of {', '.join(METHODS)}, got {method!r}")
        if method == "predict_proba":
            return np.asarray(self.ask(data, "probabilities"), dtype=np.float64)
        if "prediction" in self.outputs:
            return np.asarray(self.ask(data, "prediction"), dtype=np.float64).reshape(-1)
        return self.labels(self.ask(data, "label"))

    def ask(self, data, output):
        if output not in self.outputs:
            raise ValueError(f"the model gives {', '.join(self.outputs)} and no {output}")
        frame = self.frame(data)
        if self.by_column:
            feed = {value.name: tensor(frame, value.name, value.type) for value in self.inputs}
        else:
            (rows,) = self.inputs
            feed = {rows.name: np.hstack([tensor(frame, name, rows.type) for name in self.columns])}
        return self.session.run([output], feed)[0]

    def labels(self, said):
        convert = OF_TEXT[self.label_type]
        kind = object if self.label_type == "str" else self.label_type
        return np.array([convert(str(label)) for label in said], dtype=kind)

    def frame(self, data):
        """The rows as a DataFrame that has the model's columns."""
        if isinstance(data, dict):
            scalars = all(np.ndim(value) == 0 for value in data.values())
            data = pd.DataFrame([data]) if scalars else pd.DataFrame(data)
        elif isinstance(data, list) and all(isinstance(row, dict) for row in data):
            data = pd.DataFrame(data)
        elif not isinstance(data, pd.DataFrame):
            data = pd.DataFrame(data)
            if data.shape[1] != len(self.columns):
                raise ValueError(
                    f"rows of {data.shape[1]} values, expected {len(self.columns)}: {', '.join(self.columns)}"
                )
            data.columns = self.columns
        missing = [name for name in self.columns if name not in data.columns]
        if missing:
            raise ValueError(f"missing columns {missing}; the model takes {self.columns}")
        return data


NUMBERS = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64}


def tensor(frame, name, kind):
    """One column as onnxruntime takes it, [n, 1]."""
    column = frame[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if kind == "tensor(string)":
        texts = ["" if missing else text_of(value) for value, missing in zip(column, column.isna())]
        return np.array(texts, dtype=object).reshape(-1, 1)
    try:
        numbers = pd.to_numeric(column)
    except (ValueError, TypeError) as error:
        raise ValueError(f"column {name} takes numbers: {error}") from error
    return numbers.to_numpy(dtype=NUMBERS[kind], na_value=np.nan).reshape(-1, 1)


def text_of(value):
    """As the value stands in a table of text: pandas makes 5.0 of a 5 beside missing values."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _load_pyfunc(path):
    return Model(path)
`;
