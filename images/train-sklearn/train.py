"""The stage `train`, with scikit-learn.

in/train.parquet, in/schema.json, params.json -> out/model.onnx, out/training.json, out/metrics.json

The contract is docs/containers.md: progress as JSON lines on stdout, an error as out/error.json with a code and one line,
out/metrics.json last and by rename, as the sign of success. The model is what the built-in stage makes: an ONNX
classifier with the input `input` `[n, d]` float32 and the outputs `label` and `probabilities` `[n, K]`.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestClassifier

STAGE = Path(os.environ.get("RETRAIN_STAGE_DIR", "/stage"))


class BadInput(Exception):
    """What the user can correct: params or data."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def report(phase: str) -> None:
    print(json.dumps({"stage": "train", "phase": phase}), flush=True)


def prepared(column: dict, values: pa.ChunkedArray) -> list[np.ndarray]:
    """What the trees see of one raw column, `[n]` float32 each: clipped and imputed, or encoded."""
    if column["kind"] == "number":
        x = values.cast(pa.float64()).to_numpy().astype(np.float32)
        if column["min"] is not None or column["max"] is not None:
            x = np.clip(x, column["min"], column["max"])
        if column["impute"] is not None:
            x = np.where(np.isnan(x), np.float32(column["impute"]), x)
        return [x]
    texts = values.cast(pa.string()).to_pylist()
    if column["encoding"] == "ordinal":
        number = {level: index for index, level in enumerate(column["levels"])}
        return [np.array([number.get(text, -1) for text in texts], dtype=np.float32)]
    return [np.array([text == level for text in texts], dtype=np.float32) for level in column["levels"]]


def read_table(path: Path, schema: dict) -> tuple[np.ndarray, np.ndarray]:
    """The training rows: `[n, d]` float32 in the order of `schema.features`, and `[n]` class numbers."""
    table = pq.read_table(path)
    plain = [{"kind": "number", "name": name, "min": None, "max": None, "impute": None} for name in schema["features"]]
    number = {label: index for index, label in enumerate(schema["classes"])}
    try:
        columns = [x for column in schema.get("inputs", plain) for x in prepared(column, table[column["name"]])]
        labels = [number[label] for label in table[schema["target"]].cast(pa.string()).to_pylist()]
    except (KeyError, pa.ArrowInvalid) as error:
        raise BadInput("DATA_INVALID", f"train.parquet does not fit schema.json: {error}") from error
    return np.column_stack(columns), np.array(labels)


def train() -> dict[str, float]:
    given = json.loads((STAGE / "params.json").read_text())
    params = given["train"]
    if given.get("task", "classification") != "classification":
        raise BadInput("CONFIG_INVALID", f"task must be classification for this image, got {given['task']}")
    if params.get("algorithm", "random-forest") != "random-forest":
        raise BadInput("CONFIG_INVALID", f"train.algorithm must be random-forest, got {params['algorithm']}")
    schema = json.loads((STAGE / "in" / "schema.json").read_text())
    classes = schema["classes"]
    report("reading")
    x, y = read_table(STAGE / "in" / "train.parquet", schema)
    report("growing trees")
    forest = RandomForestClassifier(
        n_estimators=params.get("n_estimators", 100),
        max_depth=params.get("max_depth"),
        random_state=params.get("seed", 42),
        oob_score=params.get("n_estimators", 100) >= 10,
        n_jobs=1,
    )
    forest.fit(x, y)
    report("exporting")
    # Labels as text, as the built-in stage gives them.
    forest.classes_ = np.array([classes[int(index)] for index in forest.classes_])
    model = to_onnx(
        forest,
        initial_types=[("input", FloatTensorType([None, x.shape[1]]))],
        options={id(forest): {"zipmap": False}},
        target_opset={"": 15, "ai.onnx.ml": 1},
    )
    (STAGE / "out" / "model.onnx").write_bytes(model.SerializeToString())
    importances = zip(schema["features"], forest.feature_importances_, strict=True)
    notes = {"importances": [{"feature": name, "importance": float(value)} for name, value in importances]}
    metrics = {"rows_train": len(y), "model_bytes": (STAGE / "out" / "model.onnx").stat().st_size}
    if hasattr(forest, "oob_score_"):
        notes["oobScore"] = metrics["oob_score"] = float(forest.oob_score_)
    leave("training.json", notes)
    return metrics


def leave(name: str, content: object) -> None:
    """Writes a file that is there whole or not at all."""
    part = STAGE / "out" / f"{name}.part"
    part.write_text(json.dumps(content) + "\n")
    part.rename(STAGE / "out" / name)


def main() -> int:
    try:
        metrics = train()
    except BadInput as error:
        leave("error.json", {"code": error.code, "message": str(error)})
        print(f"{error.code}: {error}", file=sys.stderr)
        return 2
    leave("metrics.json", metrics)
    return 0


sys.exit(main())
