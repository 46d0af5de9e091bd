"""Columns of `--quant`: what rounding to each scheme would lose."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...sketches import Quantise
from ..quantisation import clipped_share, missing, rmse, sqnr_db
from ..statistic import Evidence, Statistic


def quantisation(schemes: tuple[str, ...]) -> Statistic:
    """Signal-to-noise ratio, relative error and clipped share of each scheme; errors of a group add as energies."""
    measure = Quantise(schemes)

    def of(evidence: Evidence) -> Mapping[str, object]:
        found = evidence.sketches[measure].of
        values: dict[str, object] = {}
        notes: dict[str, str] = {}
        for name in schemes:
            values |= {f"sqnr_{name}_db": sqnr_db(found[name]), f"rmse_{name}": rmse(found[name])}
            values[f"clipped_share_{name}"] = clipped_share(found[name])
            if reason := missing(found[name]):
                notes.setdefault(reason, name)
        return values | {"note": "; ".join(f"{name}: {reason}" for reason, name in notes.items())}

    return Statistic(tuple(c for s in schemes for c in _columns(s)), frozenset({measure}), of, pools=True)


def _columns(name: str) -> tuple[Column, ...]:
    return (
        Column(f"sqnr_{name}_db", "float", f"signal over rounding noise in {name}", "dB", shown=True, option="--quant"),
        Column(f"rmse_{name}", "float", f"RMS error over RMS of the weights in {name}", option="--quant"),
        Column(f"clipped_share_{name}", "float", f"share beyond their block's largest in {name}", option="--quant"),
    )
