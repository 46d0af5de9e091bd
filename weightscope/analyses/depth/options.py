"""The options of `depth`."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from math import inf

from ...errors import UsageError
from ...escape import escaped
from ...options import derived, option
from ..analysis import Listing
from .coupling import options as coupling
from .stats import LAWS, REFUSED, STATS

DEFAULT = ("std", "gain", "kurtosis", "beta", "max_z")
OF_SPECTRUM = (  # added by --spectrum
    "alpha",
    "stable_rank",
    "spikes",
    "effective_depth",
    "product_stable_rank",
    "norm_inf",
)
NAMES = tuple(name for names in STATS.values() for name in names)
# Forms of the rows: series of statistics, pairs of vectors, pairs of layers.
SERIES, COUPLING, LAYER_MAP = "series", "coupling", "layer map"
STD, TARGET = "std", 0.02
NO_TARGET = f"--target is a standard deviation, by default {TARGET:g}"
NO_STD = "law_distance is on the rows of std: add --stat std, leave out --per-layer"
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
    spectrum: bool = option(
        False,
        "Also alpha, stable_rank, spikes, effective_depth, product_stable_rank and norm_inf.",
    )
    per_layer: bool = option(False, "One row per layer, with the value of the statistic.")
    panels: bool = option(True, "Keep the series for a picture.", typed=False, follows="plot")
    sparkline: bool = option(
        False, "A small picture of the series in each row.", typed=False, follows="terminal"
    )
    law: str | None = option(
        None,
        "The distance to this initialisation, named or not.",
        metavar="NAME",
    )
    target: float | None = option(
        None,
        "The std that tvr and the scheme lir are relative to; default 0.02. Layers above 1.2 "
        "targets are in the note.",
        metavar="STD",
    )
    coupling: bool = option(
        False,
        "Correlations between vectors on one index set of a block: means of rows and columns, "
        "log scales, norm gains, biases.",
    )
    of: tuple[str, ...] = option(
        (),
        "With --coupling: only means or only scales of matrices; default both.",
        metavar="means|scales",
        commas=True,
        repeatable=True,
    )
    layer_map: bool = option(
        False, "The cosine of every two layers of a role, on a sample of rows."
    )
    several: bool = derived(False)  # several models: rows have a column `source`
    wanted: frozenset[str] | None = derived(None)  # requested columns; None = all

    def __post_init__(self) -> None:
        for name in self.stat:
            if name not in NAMES:
                raise _no_stat(name)
        if self.law is not None and self.law not in LAWS:
            raise _no_law(self.law)
        if self.target is not None and not 0 < self.target < inf:
            raise UsageError("expected --target above 0", f"found {self.target}", NO_TARGET)
        if self.law is not None and (self.per_layer or STD not in self.stats):
            raise UsageError("expected rows of std with --law", "found none", NO_STD)
        beside = self._other_rows
        if self.layer_map:
            coupling.check(self.coupling, self.of, (*beside, "--layer-map"))
            _check_alone(beside)
        else:
            coupling.check(self.coupling, self.of, beside)

    @property
    def _other_rows(self) -> tuple[str, ...]:
        """The flags of rows of series, beside which pairs of vectors or layers are refused."""
        flags = {
            "--stat": bool(self.stat),
            "--spectrum": self.spectrum,
            "--per-layer": self.per_layer,
            "--law": self.law is not None,
            "--target": self.target is not None,
        }
        return tuple(flag for flag, is_set in flags.items() if is_set)

    @property
    def mode(self) -> str:
        """The form of the rows."""
        if self.coupling:
            return COUPLING
        if self.layer_map:
            return LAYER_MAP
        return SERIES

    @property
    def stats(self) -> tuple[str, ...]:
        """The names of the statistics in the order of their rows, each once."""
        names = self.stat or DEFAULT
        if self.spectrum:
            names = (*names, *OF_SPECTRUM)
        return tuple(dict.fromkeys(names))


def _check_alone(beside: tuple[str, ...]) -> None:
    """Refuses options of series beside --layer-map, which has rows of its own."""
    if beside:
        raise UsageError(
            "expected --layer-map without options of other rows",
            f"found {', '.join(beside)}",
            "run depth once with each",
        )


def listed(o: DepthOptions) -> Listing:
    """A terminal lists the rows of matrices, or of what a selection names."""
    if o.coupling:
        return coupling.listed()
    return Listing('kind not in ("norm", "bias")', VECTORS, gives_way=("where", "role", "include"))


def _no_law(name: str) -> UsageError:
    """The error for a name that is no initialisation."""
    advice = f"--law takes one of {', '.join(LAWS)}"
    return UsageError("expected the name of an initialisation", f"found '{escaped(name)}'", advice)


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
