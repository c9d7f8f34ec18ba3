"""forest.py FILE PEER JSON: trains one peer on a table file of bench/forest/table-file.ts, scores the held-out rows, and
prints one line of JSON. PEER: sklearn, lightgbm-forest, xgboost-forest, lightgbm. Two threads each."""

import json
import resource
import sys
import time

import numpy as np
from sklearn.metrics import roc_auc_score

FEATURES = 10
file, peer, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
raw = np.fromfile(file, np.uint32)
sizes, at = raw[:2], 2
parts = []
for rows in sizes:
    x = raw[at : at + rows * FEATURES].view(np.float32).reshape(FEATURES, rows).T.copy()
    at += rows * FEATURES
    parts.append((x, raw[at : at + rows].astype(np.int32)))
    at += rows
del raw
(x, y), (x_held, y_held) = parts
depth = options.get("max_depth")

if peer == "sklearn":
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(100, n_jobs=2, random_state=0, max_depth=depth)
elif peer == "lightgbm-forest":
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(
        boosting_type="rf", n_estimators=100, n_jobs=2, verbose=-1, random_state=0,
        bagging_freq=1, bagging_fraction=0.632, feature_fraction_bynode=0.3162,
        max_depth=depth or -1, num_leaves=2 ** (depth or 15), min_child_samples=1,
    )
elif peer == "xgboost-forest":
    from xgboost import XGBRFClassifier

    model = XGBRFClassifier(
        n_estimators=100, n_jobs=2, random_state=0, max_depth=depth or 0, tree_method="hist",
        subsample=0.632, colsample_bynode=0.3162, min_child_weight=1e-6, reg_lambda=1e-6,
    )
else:
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(n_estimators=100, n_jobs=2, verbose=-1, random_state=0)

started = time.perf_counter()
model.fit(x, y)
seconds = time.perf_counter() - started
started = time.perf_counter()
p = model.predict_proba(x_held)[:, 1]
predict_seconds = time.perf_counter() - started
usage = resource.getrusage(resource.RUSAGE_SELF)
print(
    json.dumps(
        {
            "name": peer,
            "seconds": seconds,
            "predictSeconds": predict_seconds,
            "cpuSeconds": usage.ru_utime + usage.ru_stime,
            "peakMiB": usage.ru_maxrss / 1024,
            "auc": roc_auc_score(y_held, p),
        }
    )
)
