"""What a quantisation error says: how far the signal stands above it, its relative size, and how much is clipped.

Errors of several tensors add as energies before they are read, never as decibels.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, log10, sqrt

from ...columns import Column
from ...notes import Note
from ...sketches import QuantisationError, Quantise
from ..statistic import Evidence, Statistic

NOTHING = Note("nothing-finite", "no finite weight to quantise")
ZERO = Note(
    "no-signal", "all weights are zero, or too small to square, so quantisation has no signal"
)
EXACT = Note("lossless", "quantisation changes nothing, so no signal-to-noise ratio is finite")
BEYOND = Note("overflow-squared", "squares leave float64's range")


def sqnr_db(found: QuantisationError) -> float | None:
    """Signal-to-quantisation-noise ratio in dB, 10 log10(sum w^2 / sum (w' - w)^2); None as `missing` says.

    >>> from weightscope.sketches import QuantisationError
    >>> sqnr_db(QuantisationError(elements=4, signal=100.0, error=1.0))
    20.0
    """
    return None if missing(found) else 10 * (log10(found.signal) - log10(found.error))


def rmse(found: QuantisationError) -> float | None:
    """Root mean squared error over root mean square, sqrt(sum (w' - w)^2 / sum w^2); 0 where nothing changes.

    >>> from weightscope.sketches import QuantisationError
    >>> rmse(QuantisationError(elements=4, signal=100.0, error=1.0))
    0.1
    """
    return None if missing(found) not in (None, EXACT) else sqrt(found.error / found.signal)


def clipped_share(found: QuantisationError) -> float | None:
    """Share of the finite elements beyond the largest value of their block; None where there is none.

    >>> from weightscope.sketches import QuantisationError
    >>> clipped_share(QuantisationError(elements=4, clipped=1))
    0.25
    """
    return found.clipped / found.elements if found.elements else None


def missing(found: QuantisationError) -> Note | None:
    """Why there is no `sqnr_db`; None where there is."""
    if not found.elements:
        return NOTHING
    if not isfinite(found.signal + found.error):
        return BEYOND
    if not found.signal:
        return ZERO
    return None if found.error else EXACT


def quantisation(schemes: tuple[str, ...]) -> Statistic:
    """Signal-to-noise ratio, relative error and clipped share of each scheme; errors of a group add as energies."""
    measure = Quantise(schemes)

    def of(evidence: Evidence) -> Mapping[str, object]:
        found = evidence.sketches[measure].of
        values: dict[str, object] = {}
        lacking: dict[Note, str] = {}
        for name in schemes:
            values |= {f"sqnr_{name}_db": sqnr_db(found[name]), f"rmse_{name}": rmse(found[name])}
            values[f"clipped_share_{name}"] = clipped_share(found[name])
            if reason := missing(found[name]):
                lacking.setdefault(reason, name)
        notes = (Note(reason.code, f"{name}: {reason.text}") for reason, name in lacking.items())
        return values | {"notes": tuple(notes)}

    return Statistic(
        tuple(c for s in schemes for c in _columns(s)), frozenset({measure}), of, pools=True
    )


def _columns(name: str) -> tuple[Column, ...]:
    return (
        Column(
            f"sqnr_{name}_db",
            "float",
            f"signal over rounding noise in {name}",
            "dB",
            shown=True,
            option="--quant",
        ),
        Column(
            f"rmse_{name}",
            "float",
            f"RMS error over RMS of the weights in {name}",
            option="--quant",
        ),
        Column(
            f"clipped_share_{name}",
            "float",
            f"share beyond their block's largest in {name}",
            option="--quant",
        ),
    )
