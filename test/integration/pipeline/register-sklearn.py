"""Registers a scikit-learn model, as other programs do, and puts it into production.

Usage: register-sklearn.py MODEL   with MLFLOW_TRACKING_URI set
"""

import sys

import mlflow
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

(name,) = sys.argv[1:]
mlflow.set_experiment(f"{name}-by-hand")
x, y = load_iris(return_X_y=True)
with mlflow.start_run():
    info = mlflow.sklearn.log_model(
        DecisionTreeClassifier().fit(x, y),
        name="model",
        registered_model_name=name,
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
    )
mlflow.MlflowClient().set_registered_model_alias(name, "production", info.registered_model_version)
