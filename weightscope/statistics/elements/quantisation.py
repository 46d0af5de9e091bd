"""Statistics of a quantisation error: signal-to-noise ratio, relative size, clipped share.

Errors of several tensors are added as energies, never as decibels.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, log10, sqrt

from ...columns import Column
from ...notes import Note
from ...sketches import QuantisationError, Quantise
from ..statistic import Evidence, Statistic

NOTHING = Note("nothing-finite", "no finite weight to quantise")
ZERO = Note("no-signal", "all weights are 0 or underflow when squared: no signal-to-noise ratio")
EXACT = Note("lossless", "quantisation error is 0: no finite signal-to-noise ratio")
BEYOND = Note("overflow-squared", "values overflow when squared: no signal-to-noise ratio")


def sqnr_db(error: QuantisationError) -> float | None:
    """Signal-to-quantisation-noise ratio in dB, 10 log10(sum w^2 / sum (w' - w)^2), or None.

    `missing` gives the reason for None.

    >>> from weightscope.sketches import QuantisationError
    >>> sqnr_db(QuantisationError(elements=4, signal=100.0, error=1.0))
    20.0
    """
    if missing(error) is not None:
        return None
    # a difference of logarithms, since the quotient may overflow
    return 10 * (log10(error.signal) - log10(error.error))


def rmse(error: QuantisationError) -> float | None:
    """RMS error over RMS, sqrt(sum (w' - w)^2 / sum w^2); 0 where quantisation changes nothing.

    >>> from weightscope.sketches import QuantisationError
    >>> rmse(QuantisationError(elements=4, signal=100.0, error=1.0))
    0.1
    """
    if missing(error) not in (None, EXACT):
        return None
    return sqrt(error.error / error.signal)


def clipped_share(error: QuantisationError) -> float | None:
    """Share of the finite elements beyond the largest value of their block; None without elements.

    >>> from weightscope.sketches import QuantisationError
    >>> clipped_share(QuantisationError(elements=4, clipped=1))
    0.25
    """
    if not error.elements:
        return None
    return error.clipped / error.elements


def missing(error: QuantisationError) -> Note | None:
    """The reason why `sqnr_db` is null; None where it is not."""
    if not error.elements:
        return NOTHING
    if not isfinite(error.signal + error.error):  # of an infinite sum no ratio is known
        return BEYOND
    if not error.signal:
        return ZERO
    if not error.error:
        return EXACT
    return None


def quantisation(schemes: tuple[str, ...]) -> Statistic:
    """Signal-to-noise ratio, relative error and clipped share of each scheme."""
    measure = Quantise(schemes)

    def columns_of(evidence: Evidence) -> Mapping[str, object]:
        errors = evidence.sketches[measure].of
        values: dict[str, object] = {}
        reasons: dict[Note, str] = {}  # by reason the first scheme that has it
        for scheme in schemes:
            error = errors[scheme]
            values[f"sqnr_{scheme}_db"] = sqnr_db(error)
            values[f"rmse_{scheme}"] = rmse(error)
            values[f"clipped_share_{scheme}"] = clipped_share(error)
            reason = missing(error)
            if reason is not None:
                reasons.setdefault(reason, scheme)
        notes = [Note(reason.code, f"{name}: {reason.text}") for reason, name in reasons.items()]
        return values | {"notes": tuple(notes)}

    columns: list[Column] = []
    for scheme in schemes:
        columns += _columns(scheme)
    return Statistic(tuple(columns), frozenset({measure}), columns_of, pools=True)


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
