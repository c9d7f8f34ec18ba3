"""
A fair contest, computed anew with pandas, onnxruntime and scikit-learn: which held-out rows neither model was trained on,
what both say of them, the metric, and the paired bootstrap's draws.

    python fair-contest.py CHAMPION_TRAIN CANDIDATE_TRAIN CANDIDATE_TEST CHAMPION_MODEL CANDIDATE_MODEL TARGET RESAMPLES SEED
"""
import json
import sys

import numpy as np
import onnxruntime
import pandas as pd
from sklearn.metrics import roc_auc_score

MASK = 0xFFFFFFFF


def rows_of(table):
    """Each row as a tuple; what is missing equals what is missing."""
    return list(table.astype(object).where(table.notna(), None).itertuples(index=False, name=None))


def said(model, table, target):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    feed = {one.name: table[[one.name]].to_numpy(dtype=np.float32) for one in session.get_inputs()}
    (probabilities,) = session.run(["probabilities"], feed)
    return probabilities[:, 1]


def mix32(x):
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & MASK
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & MASK
    return x ^ (x >> 16)


class Random:
    """xoshiro128** 1.1, its state filled by splitmix32, as in ml/random."""

    def __init__(self, seed, stream):
        state = mix32(seed ^ mix32((stream + 0x9E3779B9) & MASK))
        words = []
        for _ in range(4):
            state = (state + 0x9E3779B9) & MASK
            words.append(mix32(state))
        words[3] |= 1
        self.state = words

    def uint32(self):
        a, b, c, d = self.state
        x = (b * 5) & MASK
        result = ((((x << 7) | (x >> 25)) & MASK) * 9) & MASK
        shifted = (b << 9) & MASK
        c ^= a
        d ^= b
        b ^= c
        a ^= d
        c ^= shifted
        d = ((d << 11) | (d >> 21)) & MASK
        self.state = [a, b, c, d]
        return result

    def below(self, bound):
        limit = 2**32 - 2**32 % bound
        while True:
            draw = self.uint32()
            if draw < limit:
                return draw % bound


def main():
    seen_by, own, held, champion, candidate, target, resamples, seed = sys.argv[1:]
    test = pd.read_parquet(held)
    names = rows_of(test)
    by_champion, by_candidate = (set(rows_of(pd.read_parquet(path))) for path in (seen_by, own))
    unseen = [row not in by_champion and row not in by_candidate for row in names]
    compared = test[unseen]
    truth = (compared[target].astype(str) == "1").to_numpy()
    its, mine = said(champion, compared, target), said(candidate, compared, target)
    draws = []
    for resample in range(int(resamples)):
        random = Random(int(seed), resample)
        weights = np.bincount([random.below(len(truth)) for _ in truth], minlength=len(truth))
        draws.append(
            roc_auc_score(truth, mine, sample_weight=weights) - roc_auc_score(truth, its, sample_weight=weights)
        )
    both = lambda rows: [float(roc_auc_score(rows[target].astype(str) == "1", said(m, rows, target))) for m in (champion, candidate)]
    print(
        json.dumps(
            {
                "heldOut": len(names),
                "rows": len(compared),
                "seenByChampion": sum(row in by_champion for row in names),
                "champion": float(roc_auc_score(truth, its)),
                "candidate": float(roc_auc_score(truth, mine)),
                "championOnAll": both(test)[0],
                "interval": [float(q) for q in np.quantile(draws, [0.025, 0.975])],
            }
        )
    )


main()
