"""forest.py PEER JSON FILE [PREDICT]: trains one peer on a table file of bench/forest/table-file.ts, scores the
held-out rows, and prints one line of JSON. With PREDICT, another table file, what is measured is predicting all its rows
instead. PEER: sklearn, lightgbm-forest, xgboost-forest, lightgbm. Two threads each."""

import json
import resource
import sys
import time

import numpy as np
from sklearn.metrics import roc_auc_score

FEATURES = 10


def read(file):
    raw = np.fromfile(file, np.uint32)
    at = 2
    for rows in raw[:2]:
        x = raw[at : at + rows * FEATURES].view(np.float32).reshape(FEATURES, rows).T.copy()
        at += rows * FEATURES
        yield x, raw[at : at + rows].astype(np.int32)
        at += rows


def measured(work):
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {
        "seconds": time.perf_counter() - wall,
        "cpuSeconds": time.process_time() - cpu,
        "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def model_of(peer, depth, seed):
    if peer == "sklearn":
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(100, n_jobs=2, random_state=seed, max_depth=depth)
    if peer == "xgboost-forest":
        from xgboost import XGBRFClassifier

        return XGBRFClassifier(
            n_estimators=100, n_jobs=2, random_state=seed, max_depth=depth or 0, tree_method="hist",
            subsample=0.632, colsample_bynode=0.3162, min_child_weight=1e-6, reg_lambda=1e-6,
        )
    from lightgbm import LGBMClassifier

    if peer == "lightgbm-forest":
        return LGBMClassifier(
            boosting_type="rf", n_estimators=100, n_jobs=2, verbose=-1, random_state=seed,
            bagging_freq=1, bagging_fraction=0.632, feature_fraction_bynode=0.3162,
            max_depth=depth or -1, num_leaves=2 ** (depth or 15), min_child_samples=1,
        )
    return LGBMClassifier(n_estimators=100, n_jobs=2, verbose=-1, random_state=seed)


peer, options, file, *predict = sys.argv[1:]
options = json.loads(options)
(x, y), (x_held, y_held) = read(file)
model = model_of(peer, options.get("max_depth"), options["seed"])
figures = measured(lambda: model.fit(x, y))
figures["auc"] = roc_auc_score(y_held, model.predict_proba(x_held)[:, 1])
if predict:
    parts = [x for x, _ in read(predict[0])]
    figures.update(measured(lambda: [model.predict_proba(x) for x in parts]))
print(json.dumps(figures))
