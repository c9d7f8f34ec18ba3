"""Trains scikit-learn models and exports them by skl2onnx in the forms that people have: python export-sklearn.py PENGUINS_CSV FOLDER

Writes FOLDER/NAME.onnx, and FOLDER/NAME.json: the columns by name, rows to ask about, and what scikit-learn itself says.
"""

import csv
import json
import sys

import numpy as np
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

penguins, folder = sys.argv[1:]


def write(name, model, columns, rows, types=None, options=None):
    """rows: a list of lists. types: skl2onnx's, by default one dense input."""
    dense = [("float_input", FloatTensorType([None, len(columns)]))]
    onnx = convert_sklearn(model, initial_types=types or dense, options=options, target_opset=17)
    with open(f"{folder}/{name}.onnx", "wb") as file:
        file.write(onnx.SerializeToString())
    with open(f"{folder}/{name}.json", "w") as file:
        json.dump({"columns": columns, "rows": rows, "byColumn": types is not None}, file)


iris = load_iris()
X = iris.data.astype(np.float32)
names = iris.feature_names
words = iris.target_names[iris.target].astype(object)
rows = X[::3].tolist()
logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(X, iris.target)
write("logistic-zipmap", logistic, names, rows)
forest = RandomForestClassifier(20, random_state=0).fit(X, words)
write("forest-words", forest, names, rows, options={id(forest): {"zipmap": False}})
write("forest-words-zipmap", forest, names, rows)
write("forest-words-columns", forest, names, rows, options={id(forest): {"zipmap": "columns"}})
write("logistic-columns", logistic, names, rows, options={id(logistic): {"zipmap": "columns"}})
negative = RandomForestClassifier(5, random_state=0).fit(X, np.where(iris.target == 2, 1, -1))
write("forest-negative", negative, names, rows, options={id(negative): {"zipmap": False}})
write("forest-negative-columns", negative, names, rows, options={id(negative): {"zipmap": "columns"}})
margin = LinearSVC(random_state=0).fit(X, iris.target)
write("svc-scores", margin, names, rows)
perceptron = MLPClassifier((8,), max_iter=800, random_state=0).fit(X, words)
write("perceptron", perceptron, names, rows, options={id(perceptron): {"zipmap": False}})

diabetes = load_diabetes()
boosted = GradientBoostingRegressor(random_state=0).fit(diabetes.data, diabetes.target)
write("regression", boosted, diabetes.feature_names, diabetes.data[:50].astype(np.float32).tolist())

table = [row for row in csv.DictReader(open(penguins)) if row["Body Mass (g)"] not in ("", "NA") and row["Sex"] not in ("", "NA")]
numbers = ["Beak Length (mm)", "Beak Depth (mm)", "Flipper Length (mm)"]
texts = ["Island", "Sex"]
data = np.array([[float(row[c]) for c in numbers] + [row[c] for c in texts] for row in table], dtype=object)
species = np.array([row["Species"] for row in table], dtype=object)
prepare = ColumnTransformer(
    [
        ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), [0, 1, 2]),
        ("texts", OneHotEncoder(handle_unknown="ignore"), [3, 4]),
    ]
)
pipeline = make_pipeline(prepare, LogisticRegression(max_iter=1000)).fit(data, species)
# Names that ONNX takes, as pyfunc finds columns by the inputs' names.
named = ["beak_length", "beak_depth", "flipper_length", "island", "sex"]
types = [(c, FloatTensorType([None, 1])) for c in named[:3]] + [(c, StringTensorType([None, 1])) for c in named[3:]]
write("penguins", pipeline, named, data.tolist(), types, {id(pipeline): {"zipmap": False}})
write("penguins-zipmap", pipeline, named, data.tolist(), types)
write("penguins-columns", pipeline, named, data.tolist(), types, {id(pipeline): {"zipmap": "columns"}})
