"""Writes goldens.json: values of scipy, numpy and statsmodels' formula for the statistics tests. Run in this directory."""
import json

import numpy as np
import scipy
import scipy.stats as stats

rng = np.random.default_rng(20260101)
x = np.round(rng.normal(size=40), 3)
y = np.round(0.6 * x + rng.normal(size=40), 3)
tied_x = rng.integers(0, 6, 40).astype(float)
tied_y = np.clip(tied_x + rng.integers(-2, 3, 40), 0, 6)
skewed = np.round(np.exp(rng.normal(size=25)), 3)
names = dict(x=x, y=y, tied_x=tied_x, tied_y=tied_y, skewed=skewed)
scope = dict(np=np, stats=stats, **names)

expressions = {
    "mean": ["x.mean()", "skewed.mean()"],
    "variance": ["x.var(ddof=1)", "skewed.var(ddof=1)"],
    "standardError": ["stats.sem(x)"],
    "quantile": [f"np.quantile({s}, {q})" for s in ("x", "tied_x") for q in (0, 0.025, 0.3, 0.5, 0.975, 1)],
    "pearson": ["stats.pearsonr(x, y).statistic", "stats.pearsonr(tied_x, tied_y).statistic"],
    "spearman": ["stats.spearmanr(x, y).statistic", "stats.spearmanr(tied_x, tied_y).statistic"],
    "kendall": ["stats.kendalltau(x, y).statistic", "stats.kendalltau(tied_x, tied_y).statistic"],
    "normalCdf": [f"stats.norm.cdf({v})" for v in (-37, -10, -5.5, -3, -2.999, -1.96, -0.5, 0, 1e-9, 0.3, 1, 2.5, 3, 6)],
    "normalQuantile": [f"stats.norm.ppf({p})" for p in (1e-300, 1e-12, 0.001, 0.025, 0.4, 0.5, 0.6, 0.975, 0.999999)],
}
out = {
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__},
    "samples": {k: v.tolist() for k, v in names.items()},
    "values": {k: [[e, float(eval(e, scope))] for e in v] for k, v in expressions.items()},
    "intervals": [],
}
for name, statistic in (("mean", np.mean), ("median", np.median), ("variance", lambda v, axis=-1: np.var(v, ddof=1, axis=axis))):
    for method in ("percentile", "BCa"):
        r = stats.bootstrap((skewed,), statistic, n_resamples=199, method=method, rng=np.random.default_rng(1), confidence_level=0.9)
        out["intervals"].append(
            {
                "expression": f"stats.bootstrap((skewed,), {name}, n_resamples=199, method='{method}', confidence_level=0.9)",
                "statistic": name,
                "method": method,
                "replicates": np.round(r.bootstrap_distribution, 12).tolist(),
                "low": float(r.confidence_interval.low),
                "high": float(r.confidence_interval.high),
            }
        )
with open("goldens.json", "w") as f:
    json.dump(out, f, indent=1)
    f.write("\n")
