"""Golden numbers for probe/statistics: run with scipy==1.16.3, numpy==2.4.6 (see probe_golden_requirements.txt).

    python probe_golden.py > ../src/probe/statistics/golden.json

Scores and labels are small integers made by a linear congruence, so that ties abound and the test needs no random generator.
"""
import json

import numpy as np
import scipy
from scipy import stats


def numbers(seed, n, modulus):
    out = []
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) % 2**31
        out.append(seed // 65536 % modulus)
    return out


def within_auc(a, right, sizes):
    won, pairs, at = [], [], 0
    for size in sizes:
        x, r = np.array(a[at : at + size]), np.array(right[at : at + size], bool)
        at += size
        p, q = int(r.sum()), int((~r).sum())
        if p and q:
            won.append(stats.mannwhitneyu(x[r], x[~r]).statistic)
            pairs.append(p * q)
    n, error = len(won), None
    if n > 1:
        left_out = np.array([(sum(won) - w) / (sum(pairs) - p) for w, p in zip(won, pairs)])
        error = np.sqrt((n - 1) / n * np.sum((left_out - left_out.mean()) ** 2))
    return sum(won) / sum(pairs), error, sum(pairs)


cases = []
for seed, sizes, modulus in [(1, [40], 5), (2, [8] * 6, 3), (3, [2, 5, 9, 4, 8], 1000), (4, [3] * 12, 2)]:
    n = sum(sizes)
    a, b = numbers(seed, n, modulus), numbers(seed + 100, n, modulus)
    right = [x % 2 == 1 for x in numbers(seed + 200, n, 7)]
    b = [x + y for x, y in zip(a, b)]
    u = stats.mannwhitneyu(np.array(a)[right], np.array(a)[~np.array(right)]).statistic
    point, error, pairs = within_auc(a, right, sizes)
    case = {
        "sizes": sizes,
        "a": a,
        "b": b,
        "right": right,
        "auc": u / (sum(right) * (n - sum(right))),
        "auc_within": point,
        "auc_within_error": error,
        "pairs": pairs,
        "spearman": stats.spearmanr(a, b).statistic,
    }
    if len(sizes) == 1:
        case["kendall"] = stats.kendalltau(a, b).statistic
    cases.append(case)
print(json.dumps({"made_by": f"probe_golden.py, scipy {scipy.__version__}, numpy {np.__version__}", "cases": cases}, indent=1))
