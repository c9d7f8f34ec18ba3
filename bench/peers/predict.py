"""What people write to score a table, for bench/predict-tables.

predict.py train CSV PICKLE
predict.py sklearn CSV PICKLE OUT
predict.py onnxruntime CSV ONNX OUT
"""

import pickle
import sys

import numpy as np
import pandas as pd

what, csv, model, *out = sys.argv[1:]
TARGET = "SeriousDlqin2yrs"
frame = pd.read_csv(csv, nrows=120_000 if what == "train" else None)
features = frame.drop(columns=[TARGET, frame.columns[0]])

if what == "train":
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    forest = RandomForestClassifier(100, max_depth=10, n_jobs=-1, random_state=42)
    pipeline = make_pipeline(SimpleImputer(strategy="median"), forest).fit(features, frame[TARGET])
    with open(model, "wb") as file:
        pickle.dump(pipeline, file)
    sys.exit()

if what == "sklearn":
    with open(model, "rb") as file:
        pipeline = pickle.load(file)
    shares = pipeline.predict_proba(features)
    labels = pipeline.classes_[shares.argmax(axis=1)]
else:
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    feed = {i.name: features[i.name].to_numpy(np.float32).reshape(-1, 1) for i in session.get_inputs()}
    labels, shares = session.run(None, feed)

answers = pd.DataFrame({"prediction": labels, "probability_0": shares[:, 0], "probability_1": shares[:, 1]})
answers["probability"] = shares.max(axis=1)
answers.to_parquet(out[0])
