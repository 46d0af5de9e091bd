"""Laws of the largest eigenvalue: `python -m weightscope.statistics.spectra.reference.build_edge`.

Writes `tracy_widom.npy` and `rank_one.npy` beside itself, in half a minute. The Tracy-Widom law of
real elements is a Fredholm determinant on Gauss-Legendre points (Bornemann, Markov Processes and
Related Fields 16, 2010; Ferrari and Spohn, Journal of Physics A 38, 2005). The law with one large
singular value beside the noise solves a linear equation (Bloemendal and Virag, Probability Theory
and Related Fields 156, 2013).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ....lazy import linalg, special
from ....lazy import numpy as np
from ..rank_one_law import SIZES
from ..rank_one_law import TABLE as RANK_ONE
from ..tracy_widom import GRID, TABLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

POINTS = 80  # of the determinant: all digits of float64
REACH = 16.0  # of its kernel beyond s: Ai((s + 16)/2) is below 1e-11 for s > -2, 1e-16 for s > 4
STEP_X, STEP_W = 0.005, 0.025  # of the equation: moments to 5e-4
X_FROM, X_TO = 60.0, -12.0
W_FROM, W_TO = -9.0, 14.0
IMPLICIT = 20  # first steps, which damp the edge of the start


def log_tails(s: float) -> tuple[float, float]:
    """ln F(s) and ln(1 - F(s)) of F(s) = det(1 - K), K(x, y) = Ai((x + y)/2)/2 on (s, inf).

    ln F is the sum of ln(1 - eigenvalue), so that both tails keep their digits.
    """
    upper = max(s + REACH, 16.0)
    node, weight = _points()
    x = s + (node + 1) * (upper - s) / 2
    root = np.sqrt(weight * (upper - s) / 2)
    kernel = root[:, None] * special.airy((x[:, None] + x) / 2)[0] / 2 * root
    eigenvalues = np.linalg.eigvalsh(kernel)
    log_below = float(np.log1p(-eigenvalues).sum())
    return log_below, float(np.log(-np.expm1(log_below)))


@cache
def _points() -> tuple[Array, Array]:
    """Points between -1 and 1 and their weights."""
    node, weight = np.polynomial.legendre.leggauss(POINTS)
    return node, weight


def normal_quantile(s: float) -> float:
    """The normal quantile of F(s), from the smaller tail."""
    log_below, log_above = log_tails(s)
    if log_below < log_above:
        return float(special.ndtri_exp(log_below))
    return -float(special.ndtri_exp(log_above))


def rank_one() -> tuple[Array, Array, Array]:
    """w (k,), x (l,) descending, and F(x, w) (l, k) of F_x + 2 F_ww + (x - w^2) F_w = 0.

    F is 1 where no eigenvalue can be, far on the right, and Gaussian about w^2 below w = 0.
    """
    w = np.arange(W_FROM, W_TO + STEP_W / 2, STEP_W)
    width = np.sqrt(4 * np.maximum(-w, STEP_W))
    F = np.where(w < 0, special.ndtr((X_FROM - w**2) / width), 1.0)
    F[0] = 0.0
    steps = round((X_FROM - X_TO) / STEP_X)
    xs, rows = [X_FROM], [F]
    for step in range(steps):
        x = X_FROM - step * STEP_X
        F = _stepped(F, w, x, implicit=1.0 if step < IMPLICIT else 0.5)
        xs.append(x - STEP_X)
        rows.append(F)
    return w, np.array(xs), np.clip(rows, 0.0, 1.0)


def _stepped(F: Array, w: Array, x: float, implicit: float) -> Array:
    """F at x - STEP_X, by Crank and Nicolson."""
    before, after = _operator(w, x), _operator(w, x - STEP_X)
    explicit = (1 - implicit) * STEP_X
    right = F + explicit * before[1] * F
    right[1:] += explicit * before[0][1:] * F[:-1]
    right[:-1] += explicit * before[2][:-1] * F[1:]
    below, diagonal, above = (-implicit * STEP_X * part for part in after)
    found = _tridiagonal(below, 1 + diagonal, above, right)
    found[0] = 0.0
    return found


def _operator(w: Array, x: float) -> tuple[Array, Array, Array]:
    """2 F_ww + (x - w^2) F_w on the grid; differences on one side where the drift is strong."""
    drift = x - w**2
    strong = np.abs(drift) * STEP_W > 4
    central = np.where(strong, 0.0, drift / (2 * STEP_W))
    down = np.where(strong & (drift < 0), -drift / STEP_W, 0.0)
    up = np.where(strong & (drift > 0), drift / STEP_W, 0.0)
    spread = 2 / STEP_W**2
    below, above = spread - central + down, spread + central + up
    diagonal = -(2 * spread + down + up)
    diagonal[0] = above[0] = below[0] = 0.0  # F = 0
    diagonal[-1] += above[-1]  # F_w = 0
    above[-1] = 0.0
    return below, diagonal, above


def _tridiagonal(below: Array, diagonal: Array, above: Array, right: Array) -> Array:
    bands = np.zeros((3, len(right)))
    bands[0, 1:] = above[:-1]
    bands[1] = diagonal
    bands[2, :-1] = below[1:]
    return np.asarray(linalg.solve_banded((1, 1), bands, right))


def moments(x: Array, F: Array) -> tuple[Array, Array, Array]:
    """Mean, variance and skewness of the laws in the columns of F, from int x^k dF by parts."""
    x, above = x[::-1], 1 - F[::-1]
    first, second, third = (
        x[0] ** k + np.trapezoid(k * x[:, None] ** (k - 1) * above, x, axis=0) for k in (1, 2, 3)
    )
    variance = second - first**2
    return first, variance, (third - 3 * first * second + 2 * first**3) / variance**1.5


def main() -> None:
    """Writes both tables."""
    folder = Path(__file__).parent
    np.save(folder / TABLE.name, np.array([normal_quantile(s) for s in GRID]))
    w, x, F = rank_one()
    sizes = -np.array(SIZES)
    of_size = [np.interp(sizes, w, column) for column in moments(x, F)]
    np.save(folder / RANK_ONE.name, np.array(of_size))


if __name__ == "__main__":
    main()
