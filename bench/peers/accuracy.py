"""accuracy.py FOLDER SEEDS [NAME...]: makes thirty tables, writes each for bench/accuracy.ts, trains scikit-learn's random forest on it
with each seed (on those named only, if any are), and prints one line of JSON per table: its name, its shape, and the score per seed on the rows held out.
Scores: ROC AUC of two classes, accuracy of more, R² of numbers."""

import json
import sys

import numpy as np
from sklearn import datasets
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score

ROWS = 4000


def generated():
    """Shapes as OpenML has them: few or many columns, noise, ties, heavy tails, levels, missing values, rare classes."""
    rng = np.random.default_rng(20)
    normal = rng.standard_normal

    def two_noisy():
        x = normal((30000, 2))
        return x, np.sin(2 * x[:, 0]) + x[:, 0] * x[:, 1] + normal(30000) > 0

    def levels():
        level = rng.integers(0, 6000, 20000)
        share = np.where(rng.random(6000) < 0.5, 0.15, 0.85)
        return np.stack([level, normal(20000)], 1), rng.random(20000) < share[level]

    def dominant():
        x = normal((ROWS, 5))
        x[:, 0] = np.exp(x[:, 0])
        return x, 100 * x[:, 0] + normal(ROWS)

    def wide():
        x = normal((1000, 200))
        return x, x[:, :5].sum(1) + normal(1000) > 0

    def missing():
        x = normal((ROWS, 8))
        y = x[:, 0] + x[:, 1] * x[:, 2] + normal(ROWS) > 0
        x[rng.random(x.shape) < 0.2] = np.nan
        return x, y

    def counts():
        x = rng.poisson(3, (ROWS, 10))
        return x, rng.random(ROWS) < 1 / (1 + np.exp(3 - 0.5 * x[:, 0] - 0.1 * x[:, 1] * x[:, 2]))

    def rare():
        x = normal((10000, 6))
        return x, x[:, 0] + x[:, 1] ** 2 + 0.5 * normal(10000) > 4

    def tails():
        x = rng.standard_cauchy((ROWS, 6))
        return x, np.arctan(x[:, 0]) + np.arctan(x[:, 1]) * np.arctan(x[:, 2]) + 0.5 * normal(ROWS) > 0

    def steps():
        x = rng.random((ROWS, 4))
        return x, np.floor(40 * x[:, 0]) % 2 + np.floor(3 * x[:, 1]) + 0.2 * normal(ROWS)

    def spiral():
        angle = 4 * np.pi * np.sqrt(rng.random(ROWS))
        side = rng.integers(0, 2, ROWS)
        at = angle + np.pi * side
        return np.stack([angle * np.cos(at), angle * np.sin(at)], 1) + 0.3 * normal((ROWS, 2)), side

    yield from [("two noisy", *two_noisy()), ("6,000 levels", *levels()), ("dominant", *dominant())]
    yield from [("wide", *wide()), ("missing", *missing()), ("counts", *counts()), ("rare", *rare())]
    yield from [("heavy tails", *tails()), ("steps", *steps()), ("spiral", *spiral())]
    for seed in range(6):
        x, y = datasets.make_classification(
            ROWS, 4 + 4 * seed, n_informative=3 + seed, n_redundant=1, n_classes=2 + seed % 3,
            n_clusters_per_class=1 + seed % 2, flip_y=0.02 * seed, class_sep=0.7, random_state=seed,
        )
        yield f"classes {seed}", x, y
    for seed in range(3):
        x, y = datasets.make_regression(ROWS, 6 + 6 * seed, n_informative=4, noise=20, random_state=seed)
        yield f"regression {seed}", x, y
    for number in (1, 2, 3):
        x, y = getattr(datasets, f"make_friedman{number}")(ROWS, noise=0.1 if number == 3 else 1, random_state=1)
        yield f"Friedman {number}", x, y
    x, y = datasets.make_moons(ROWS, noise=0.35, random_state=1)
    yield "moons", x, y
    x, y = datasets.make_circles(ROWS, noise=0.2, factor=0.6, random_state=1)
    yield "circles", x, y
    x, y = datasets.make_hastie_10_2(ROWS, random_state=1)
    yield "Hastie 10.2", x, y > 0
    for name in ("iris", "wine", "digits", "breast_cancer", "diabetes"):
        yield (name, *getattr(datasets, f"load_{name}")(return_X_y=True))


def score(model, x, y, classes):
    if classes == 0:
        return r2_score(y, model.predict(x))
    if classes == 2:
        return roc_auc_score(y, model.predict_proba(x)[:, 1])
    return accuracy_score(y, model.predict(x))


folder, seeds, wanted = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
for number, (name, x, y) in enumerate(generated()):
    if wanted and name not in wanted:
        continue
    numbers = y.dtype.kind == "f" and len(np.unique(y)) > 20
    classes = 0 if numbers else len(np.unique(y))
    order = np.random.default_rng(number).permutation(len(x))
    cut = int(0.7 * len(x))
    x, y = x[order].astype(np.float32), y[order].astype(np.float64)
    (x[:cut].T.copy()).tofile(f"{folder}/{number}.train.f32")
    (x[cut:].T.copy()).tofile(f"{folder}/{number}.held.f32")
    y.tofile(f"{folder}/{number}.y.f64")
    scores = []
    # Of few rows, an answer more or less is so much that a handful of seeds has no spread to speak of.
    for seed in range(seeds if len(x) - cut >= 200 else 6 * seeds):
        kind = RandomForestClassifier if classes else RandomForestRegressor
        model = kind(100, n_jobs=2, random_state=seed).fit(x[:cut], y[:cut])
        scores.append(score(model, x[cut:], y[cut:], classes))
    shape = {"train": cut, "held": len(x) - cut, "features": x.shape[1], "classes": classes}
    print(json.dumps({"name": name, "number": number, **shape, "scores": scores}), flush=True)
