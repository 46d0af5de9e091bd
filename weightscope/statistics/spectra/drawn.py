"""Columns of `--null`: the same readings of matrices drawn by chance, beside those of the matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note
from ..laws import LAWS
from ..laws.fitting import fit_laws
from .bulk import bulk
from .power_law import power_law, tail_above
from .ranks import ranks

if TYPE_CHECKING:
    from ...sketches import SingularValues, ValueCounts

NULL_OF = ("alpha", "spikes", "stable_rank", "effective_rank", "sigma_max")
ENDS = {
    "_null": ("median over the draws of", 50.0),
    "_null_low": ("10% point over the draws of", 10.0),
    "_null_high": ("90% point over the draws of", 90.0),
}
NULLS_OF = tuple(name + suffix for name in NULL_OF for suffix in ENDS)
NOTHING = Note("nothing-drawn", "nothing drawn")
FITTED = {"gaussian": ("normal", "sigma"), "logistic": ("logistic", "s")}


def against(columns: Sequence[Column], draws: int) -> tuple[Column, ...]:
    """Each column of NULL_OF with its null, and the null's ends where there are several draws."""
    made: list[Column] = []
    for column in columns:
        made.append(column)
        for suffix, (meaning, _) in ENDS.items() if column.name in NULL_OF else ():
            if suffix == "_null" or draws > 1:
                null = Column(
                    column.name + suffix,
                    "float",
                    f"{meaning} {column.name}",
                    column.unit,
                    option="--null",
                )
                made.append(null)
    return tuple(made)


def law_of(counts: ValueCounts, name: str) -> tuple[float, float] | None:
    """Location and scale of the fitted Gaussian or logistic law; None where it cannot be fitted."""
    law, scale = FITTED[name]
    fit = fit_laws(counts, [x for x in LAWS if x.name == law]).get(law)
    return (fit.params["mu"], fit.params[scale]) if fit else None


def readings(values: SingularValues, cut: float | None) -> Mapping[str, object]:
    """NULL_OF of one draw; nothing where its elements or their squares are not finite."""
    sigma, (m, n) = values.values, values.shape
    if values.nonfinite or len(sigma) < min(m, n):
        return {}
    tail = tail_above(sigma[sigma > values.floor] ** 2, cut)
    fit, found = power_law(tail), bulk(sigma, m, n, values.floor)
    own: dict[str, object] = {"alpha": fit and fit.alpha, "spikes": found and found.spikes}
    return {**ranks(sigma, m, n, values.floor, 0.0), **own}


def drawn(draws: Sequence[Mapping[str, object]], asked: int) -> Mapping[str, object]:
    """Median, and where several draws were asked for 10% and 90% points, of each reading over those that have it.

    `notes` say which readings no draw has, or that nothing was drawn.
    """
    seen = {
        n: [float(v) for draw in draws if isinstance(v := draw.get(n), int | float)]
        for n in NULL_OF
    }
    found: dict[str, object] = {
        name + suffix: float(np.percentile(values, point)) if values else None
        for name, values in seen.items()
        for suffix, (_, point) in ENDS.items()
        if suffix == "_null" or asked > 1
    }
    lacking = [name for name, values in seen.items() if not values]
    if not any(seen.values()):
        return found | {"notes": (NOTHING,)}
    some = Note("nothing-drawn", f"no {', '.join(lacking)} in what was drawn")
    return found | {"notes": (some,) if lacking else ()}
