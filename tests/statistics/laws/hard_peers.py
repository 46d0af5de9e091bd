"""Best log-likelihoods by other searches: grids, EM and scipy's optimisers from many starts.

Inside the bounds of the documents: nu in 1..200 and s at least 1e-6 std, beta in 0.1..8, sigma1 at
least 1e-3 std, truncnorm about the mean up to the farthest weight with sigma at most 20 cut. The
likelihood of a lattice is the probability of its cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import exp, log

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from tests.statistics.laws.hard_samples import Points

Array = NDArray[np.float64]
Terms = Iterable[tuple[float, object]]  # shares and distributions of scipy.stats

PER_STEP = 1e-300  # least probability
STARTS, ROUNDS = 48, 400  # of the EM


class Placed:
    """A law of scipy.stats at some parameters: to freeze one takes longer than to compute it."""

    def __init__(self, law: object, *parameters: float) -> None:
        self.law, self.parameters = law, parameters

    def __getattr__(self, name: str) -> Callable[..., Array]:
        function = getattr(self.law, name)
        return lambda *points: function(*points, *self.parameters)


def loglik(points: Points, terms: Terms) -> float:
    """Log-likelihood of a sum of distributions, of densities in the weights' unit."""
    z, h = points.z, points.half
    if h:
        logs = np.log(np.maximum(sum(share * _mass(law, z, h) for share, law in terms), PER_STEP))
        return float(points.count @ logs)
    parts = [np.log(max(share, PER_STEP)) + law.logpdf(z) for share, law in terms]
    logs = special.logsumexp(parts, axis=0) - log(points.scale)
    return float(points.count @ logs)


def _mass(law: object, z: Array, h: float) -> Array:
    """Probability of cells, from the nearer tail."""
    below = law.cdf(z + h) - law.cdf(z - h)
    above = law.sf(z - h) - law.sf(z + h)
    return np.where(z > law.median(), above, below)


def normal(points: Points) -> float:
    """Of a lattice a search, else mean and std."""
    if not points.half:
        return loglik(points, [(1.0, Placed(stats.norm, 0, 1))])
    return _likeliest(
        points, lambda at: [(1.0, Placed(stats.norm, at[0], exp(at[1])))], [(0.0, 0.0)]
    )


def laplace(points: Points) -> float:
    """Any weight as mu; of a lattice a search from there."""
    x = points.weights
    median = float(np.median(x))
    b = float(np.abs(x - median).mean())
    if not points.half:
        return loglik(points, [(1.0, Placed(stats.laplace, median, b))])
    starts = [(mu, log(b)) for mu in (median, median - points.half, median + points.half, 0.0)]
    return _likeliest(points, lambda at: [(1.0, Placed(stats.laplace, at[0], exp(at[1])))], starts)


def logistic(points: Points) -> float:
    """From three quartiles and three scales."""
    x = points.weights
    starts = [
        (mu, log(s)) for mu in np.quantile(x, [0.3, 0.5, 0.7]) for s in (0.5, 0.05, _robust(x) / 2)
    ]
    return _likeliest(points, lambda at: [(1.0, Placed(stats.logistic, at[0], exp(at[1])))], starts)


def uniform(points: Points) -> float:
    """From the least to the greatest weight; of a lattice ends inside the outermost cells."""
    low, high = points.z[0], points.z[-1]

    def terms(at: Array) -> Terms:
        lo, hi = low - abs(at[0]), high + abs(at[1])
        return [(1.0, Placed(stats.uniform, lo, hi - lo))]

    if not points.half:
        return loglik(points, terms(np.zeros(2)))
    return _likeliest(points, terms, [(points.half / 2, points.half / 2), (0.0, 0.0)])


def truncnorm(points: Points) -> float:
    """sigma alone, by bounded Brent between the points of a grid."""
    cut = float(np.abs(points.z).max())

    def cost(log_sigma: float) -> float:
        a = cut / exp(log_sigma)
        return -loglik(points, [(1.0, Placed(stats.truncnorm, -a, a, 0, exp(log_sigma)))])

    return -_least(cost, np.linspace(log(0.3), log(20 * cut), 40))


def student_t(points: Points) -> float:
    """L-BFGS-B from weights, scales and nu, then Nelder-Mead."""
    x = points.weights
    g = np.random.default_rng(1)
    centres = np.quantile(x, [0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9])
    if len(points.z) <= 40:
        centres = points.z
    scales = (_robust(x), 0.1 * _robust(x), 1e-3, 1e-5)
    starts = [(mu, log(s), g.uniform(0, 3)) for mu in centres for s in scales]
    bounds = [(None, None), (log(1e-6), 5.0), (0.0, log(200))]

    def quick(at: Array) -> float:
        mu, log_s, nu = at[0], at[1], exp(at[2])
        tails = np.log1p(((points.z - mu) / exp(log_s)) ** 2 / nu)
        constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - log(nu) / 2
        return -float(points.count @ (constant - log_s - (nu + 1) / 2 * tails)) / points.n

    return _from_starts(points, quick, _student_t_terms, starts, bounds)


def _student_t_terms(at: Array) -> Terms:
    return [(1.0, Placed(stats.t, exp(at[2]), at[0], exp(at[1])))]


def gennorm(points: Points) -> float:
    """Every weight as mu below beta 1, the root above: on a grid of beta, then Brent."""
    if points.half:
        centres = np.quantile(points.weights, [0.3, 0.5, 0.6])
        starts = [(mu, 0.0, b) for mu in centres for b in (-1, 0, 1)]
        bounds = ((-1e9, 1e9), (-20, 9), (log(0.1), log(8)))
        return _likeliest(points, _gennorm_terms, starts, bounds)
    z, count = points.z, points.count
    logs = None
    if len(z) <= 2000:
        logs = np.log(np.maximum(np.abs(z - z[:, None]), 1e-300))

    def moment(mu: float, beta: float) -> float:
        return float(count @ np.abs(z - mu) ** beta) / points.n

    def place(beta: float) -> float:
        if beta < 1:
            return float(z[np.argmin(np.exp(beta * logs) @ count)])
        result = optimize.minimize_scalar(
            moment,
            (z[0], z[-1]),
            bounds=(z[0], z[-1]),
            args=(beta,),
            method="bounded",
            options={"xatol": 1e-10},
        )
        median = float(np.median(points.weights))
        return min(float(result.x), median, key=lambda mu: moment(mu, beta))

    def cost(log_beta: float) -> float:
        beta = exp(log_beta)
        mu = place(beta)
        alpha = (beta * moment(mu, beta)) ** (1 / beta)
        return -loglik(points, [(1.0, Placed(stats.gennorm, beta, mu, alpha))])

    return -_least(cost, np.linspace(log(0.1), log(8), 50))


def _gennorm_terms(at: Array) -> Terms:
    return [(1.0, Placed(stats.gennorm, exp(at[2]), at[0], exp(at[1])))]


def normal_mixture(points: Points) -> float:
    """EM from many starts, the best five by L-BFGS-B and Nelder-Mead."""
    starts = _by_em(points)
    bounds = [(None, None), (-12, 12), (log(1e-3), 12), (log(1e-3), 12)]

    def terms(at: Array) -> Terms:
        w = 1 / (1 + exp(-at[1]))
        return [
            (w, Placed(stats.norm, at[0], exp(at[2]))),
            (1 - w, Placed(stats.norm, at[0], exp(at[3]))),
        ]

    def quick(at: Array) -> float:
        w = 1 / (1 + exp(-at[1]))
        r = (points.z - at[0]) ** 2 / 2
        first = log(w) - at[2] - r * exp(-2 * at[2])
        second = log(1 - w) - at[3] - r * exp(-2 * at[3])
        return -float(points.count @ np.logaddexp(first, second)) / points.n

    return _from_starts(points, quick, terms, starts, bounds)


def _by_em(points: Points) -> list[tuple[float, ...]]:
    """Ends of EM rounds of all starts at once: shapes (starts, 1) and (starts, weights)."""
    g = np.random.default_rng(2)
    z, count = points.z, points.count
    if len(z) <= 60:
        mu = np.repeat(z, 4)
    else:
        mu = g.choice(points.weights, STARTS)
    k = len(mu)
    robust = _robust(points.weights)
    mu = mu[:, None]
    w = g.choice([0.03, 0.1, 0.3, 0.5, 0.8, 0.95, 0.999], k)[:, None]
    v1 = np.tile([2e-6, 1e-3, robust**2, 0.1 * robust**2], k)[:k, None]
    v2 = g.choice([1.0, 3.0, 0.3, 30.0], k)[:, None]
    # Of a lattice the values are cells, and no part is narrower than one of them.
    least = max(1e-6, points.half**2 / 3)
    v1 = np.maximum(v1, least)
    for _ in range(ROUNDS):
        r = (z - mu) ** 2
        first = np.log(w) - np.log(v1) / 2 - r / (2 * v1)
        second = np.log(1 - w) - np.log(v2) / 2 - r / (2 * v2)
        q = special.expit(first - second)
        q1, q2 = q * count, (1 - q) * count
        s1, s2 = q1.sum(1, keepdims=True), q2.sum(1, keepdims=True)
        w = np.clip(s1 / points.n, 1e-5, 1 - 1e-5)
        a = q1 / v1 + q2 / v2
        mu = (a @ z)[:, None] / a.sum(1, keepdims=True)
        r = (z - mu) ** 2
        v1 = np.maximum((q1 * r).sum(1, keepdims=True) / np.maximum(s1, 1e-9), least)
        v2 = np.maximum((q2 * r).sum(1, keepdims=True) / np.maximum(s2, 1e-9), least)
    ends = np.hstack((mu, special.logit(w), np.log(v1) / 2, np.log(v2) / 2))
    return [tuple(end) for end in ends]


def _robust(x: Array) -> float:
    """Normal std of the middle half, above 0."""
    q1, q3 = np.quantile(x, [0.25, 0.75])
    return max(float(q3 - q1) / 1.349, 1e-5)


def _from_starts(
    points: Points,
    quick: Callable[[Array], float],
    terms: Callable[[Array], Terms],
    starts: Iterable[tuple[float, ...]],
    bounds: list[tuple[float | None, float | None]],
) -> float:
    """L-BFGS-B on the density, the best ends by Nelder-Mead, the value by scipy.stats."""
    ends = [tuple(optimize.minimize(quick, s, method="L-BFGS-B", bounds=bounds).x) for s in starts]
    ends = sorted([*ends, *starts], key=lambda at: quick(np.array(at)))[:5]
    if points.half:
        return _likeliest(points, terms, ends[:2], bounds)
    return max(loglik(points, terms(_polished(quick, end, bounds))) for end in ends)


def _polished(
    cost: Callable[[Array], float],
    start: tuple[float, ...],
    bounds: Iterable[tuple[float | None, float | None]] | None,
) -> Array:
    """Nelder-Mead twice."""
    at = np.array(start, float)
    options = {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 800}
    for _ in range(2):
        at = optimize.minimize(cost, at, method="Nelder-Mead", bounds=bounds, options=options).x
    return np.asarray(at)


def _likeliest(
    points: Points,
    terms: Callable[[Array], Terms],
    starts: Iterable[tuple[float, ...]],
    bounds: Iterable[tuple[float | None, float | None]] | None = None,
) -> float:
    """Nelder-Mead from each start."""

    def cost(at: Array) -> float:
        return -loglik(points, terms(at))

    return -min(cost(_polished(cost, start, bounds)) for start in starts)


def _least(cost: Callable[[float], float], grid: Array) -> float:
    """The least of a grid, and of Brent's method around each minimum of it."""
    costs = [cost(at) for at in grid]
    least = min(costs)
    for i in range(1, len(grid) - 1):
        if costs[i] > min(costs[i - 1], costs[i + 1]) or costs[i] > least + abs(least) * 0.05:
            continue
        options = {"xatol": 1e-9}
        bounds = (grid[i - 1], grid[i + 1])
        found = optimize.minimize_scalar(cost, bounds=bounds, method="bounded", options=options)
        least = min(least, float(found.fun))
    return least


SEARCHES = (normal, laplace, logistic, student_t, gennorm, truncnorm, uniform, normal_mixture)
PEERS: Mapping[str, Callable[[Points], float]] = {search.__name__: search for search in SEARCHES}
