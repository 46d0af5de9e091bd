"""The options of `depth`."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from ...errors import UsageError
from ...escape import escaped
from ...options import derived, option
from ..analysis import Listing
from .stats import REFUSED, STATS

DEFAULT = ("std", "gain", "kurtosis", "beta", "max_z")
OF_SPECTRUM = ("alpha", "stable_rank", "spikes", "effective_depth")  # added by --spectrum
NAMES = tuple(name for names in STATS.values() for name in names)
VECTORS = "rows of vectors: not listed"


@dataclass(frozen=True)
class DepthOptions:
    """The statistics that are followed, and the form of the rows."""

    stat: tuple[str, ...] = option(
        (),
        "Follow this numeric column of fit, spectrum or outliers; default std, gain, kurtosis, "
        "beta and max_z.",
        metavar="COLUMN",
        commas=True,
        repeatable=True,
    )
    spectrum: bool = option(False, "Also alpha, stable_rank, spikes and effective_depth.")
    per_layer: bool = option(False, "One row per layer, with the value of the statistic.")
    panels: bool = option(True, "Keep the series for a picture.", typed=False, follows="plot")
    sparkline: bool = option(
        False, "A small picture of the series in each row.", typed=False, follows="terminal"
    )
    several: bool = derived(False)  # several models: rows have a column `source`
    wanted: frozenset[str] | None = derived(None)  # requested columns; None = all

    def __post_init__(self) -> None:
        for name in self.stat:
            if name not in NAMES:
                raise _no_stat(name)

    @property
    def stats(self) -> tuple[str, ...]:
        """The names of the statistics in the order of their rows, each once."""
        names = self.stat or DEFAULT
        if self.spectrum:
            names = (*names, *OF_SPECTRUM)
        return tuple(dict.fromkeys(names))


def listed(o: DepthOptions) -> Listing:
    """A terminal lists the rows of matrices, or of what a selection names."""
    return Listing('kind not in ("norm", "bias")', VECTORS, gives_way=("where", "role", "include"))


def _no_stat(name: str) -> UsageError:
    """The error for a name that is no statistic: the reason, the nearest name, or all names."""
    found = f"found '{escaped(name)}'"
    if name in REFUSED:
        found = f"found '{name}': {REFUSED[name]}"
    near = get_close_matches(name.lower(), NAMES, 1, 0.5)
    if near and name not in REFUSED:
        advice = f"did you mean '{near[0]}'?"
    else:
        advice = f"--stat takes {', '.join(NAMES)}"
    return UsageError("expected a numeric column of fit, spectrum or outliers", found, advice)
