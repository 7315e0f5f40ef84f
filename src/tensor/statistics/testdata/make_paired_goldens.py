"""Writes paired-goldens.json: values of scipy and statsmodels (Holm) for the tests of paired differences. Run in this directory."""
import json
import math

import numpy as np
import scipy
import scipy.stats as stats
import statsmodels
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(20260102)
samples = {
    "small": np.round(rng.normal(0.4, 1, 12), 4),
    "fifty": np.round(rng.normal(0.2, 1, 50), 5),
    "large": np.round(rng.normal(0.1, 1, 140), 5),
    "tied": rng.integers(1, 5, 14).astype(float) * rng.choice([-1, 1, 1], 14),
    "zeros": np.clip(rng.integers(-3, 5, 16), -3, 4).astype(float),
    "large_zeros": rng.integers(-6, 8, 120).astype(float),
}
out = {
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "samples": {k: v.tolist() for k, v in samples.items()},
    "wilcoxon": [],
    "signFlip": [],
    "holm": [],
}
for name, d in samples.items():
    for zeros in ("wilcox", "pratt"):
        for correction in (False, True):
            r = stats.wilcoxon(d, zero_method=zeros, correction=correction, method="asymptotic")
            out["wilcoxon"].append(dict(sample=name, zeros=zeros, method="normal", continuity=correction, statistic=float(r.statistic), z=float(r.zstatistic), p=float(r.pvalue)))
        n = int((d != 0).sum())
        if len(set(np.abs(d))) == len(d) and n == len(d) and n <= 50:
            r = stats.wilcoxon(d, zero_method=zeros, method="exact")
        elif len(d) <= 16:
            # All 2^n sign patterns of the ranks at hand: right with ties and zeros, which scipy's "exact" is not.
            r = stats.wilcoxon(d, zero_method=zeros, method=stats.PermutationMethod(n_resamples=math.inf))
        else:
            continue
        out["wilcoxon"].append(dict(sample=name, zeros=zeros, method="exact", continuity=False, statistic=float(r.statistic), p=float(r.pvalue)))
for name in ("small", "tied", "zeros"):
    d = samples[name]
    r = stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=math.inf, vectorized=True)
    out["signFlip"].append(dict(sample=name, mean=float(r.statistic), p=float(r.pvalue)))

for size in (1, 5, 12):
    p = np.round(rng.uniform(0, 1, size) ** 4, 6)
    out["holm"].append(dict(p=p.tolist(), adjusted=multipletests(p, method="holm")[1].tolist()))
with open("paired-goldens.json", "w") as f:
    json.dump(out, f, indent=1)
    f.write("\n")
