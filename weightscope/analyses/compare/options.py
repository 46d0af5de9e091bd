"""The options of `compare`, the mode that they ask for, and the MODELs that each mode needs."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import UsageError
from ...options import derived, option

BY = ("tensor", "role", "layer", "model")
# What is compared: A with B; steps with the first and the previous; tunings of a base with each
# other; a merged model with tunings; a model with candidate parents; A with each of several seeds.
PAIR, SERIES, SET, MIX, NEAREST, SEEDS = "pair", "series", "set", "mix", "nearest", "seeds"
FEWEST_SEEDS = 3


@dataclass(frozen=True)
class CompareOptions:
    """Grouping, names of pairs, additional columns, a list of changes, what several MODELs are."""

    by: str = option(
        "tensor", "One row per pair of tensors (default), role, layer or model.", metavar="WHAT"
    )
    spectrum: bool = option(
        False, "Also compute the spectrum of the difference and the overlap of singular vectors."
    )
    top: int = option(
        0, "List the N elements with the largest |difference| instead.", metavar="N", minimum=1
    )
    set: bool = option(
        False,
        "The MODELs after the first are tunings of it: compare their task vectors with each other.",
    )
    mix: bool = option(
        False,
        "With --set: the last MODEL as the base plus shares of the other tunings, by least "
        "squares.",
    )
    nearest: bool = option(
        False, "Rank the MODELs after the first by how likely the first was made from them."
    )
    bootstrap: int = option(
        0,
        "The MODELs after the first are seeds: mean of each column over them, with 95% intervals "
        "from N resamples.",
        metavar="N",
        minimum=1,
    )
    seed: int = option(0, "Seed of --bootstrap; default 0.", metavar="N", minimum=0)
    lineage: bool = option(
        False,
        "Find the rule that made B from A: slices, layers, permuted neurons, experts, rotations; "
        "done without this option where shapes or layers differ.",
    )
    rename: tuple[str, ...] = option(
        (),
        "Names of A that match the regular expression OLD are NEW in B.",
        metavar="OLD=NEW",
        repeatable=True,
    )
    strip_prefix: tuple[str, ...] = option(
        (), "Ignore this prefix of names, in A and in B.", metavar="PREFIX", repeatable=True
    )
    provenance_a: str | None = option(
        None,
        "Provenance of a stored report as A, where it is not beside the report.",
        metavar="FILE",
        reads="file",
    )
    panels: bool = option(True, "Keep the laws for a picture.", typed=False, follows="plot")
    models: int = derived(2)  # how many MODELs were named
    wanted: frozenset[str] | None = derived(None)  # requested columns; None = all

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise UsageError(
                f"compare groups by {', '.join(BY)}",
                f"found {self.by!r}",
                "choose one of them with --by",
            )
        self._check_modes()
        self._check_top()
        if self.mode == NEAREST and self.by != "tensor":
            raise UsageError("--nearest has one row a MODEL", f"found --by {self.by}", "omit --by")
        if self.spectrum and self.mode in (SET, MIX, NEAREST):
            flag = "--nearest" if self.nearest else "--set"
            raise UsageError(
                "--spectrum computes the spectrum of a difference from A",
                f"found {flag}, which does not need it",
                "omit one of the two",
            )

    def _check_modes(self) -> None:
        """Refuses modes that exclude each other."""
        if self.mix and not self.set:
            raise UsageError(
                "--mix takes a set of tunings",
                "found no --set",
                "use --set --mix: first the base, last the merged model",
            )
        modes = {"--set": self.set, "--nearest": self.nearest, "--bootstrap": self.bootstrap > 0}
        given = [flag for flag, value in modes.items() if value]
        if len(given) > 1:
            raise UsageError(
                "expected one of --set, --nearest and --bootstrap",
                f"found {' and '.join(given)}",
                "run them one after the other",
            )
        if self.bootstrap < 0:
            raise UsageError(
                "--bootstrap takes a number from 1 on",
                f"found {self.bootstrap}",
                "use --bootstrap 500",
            )

        if self.lineage and self.mode != PAIR:
            raise UsageError(
                "--lineage searches the rule between two MODELs",
                f"found {MODES[self.mode]}",
                "compare two at a time",
            )

    def _check_top(self) -> None:
        """Refuses a list of elements beside anything that says what rows are."""
        if self.top < 0:
            raise UsageError(
                "--top takes a number from 1 on", f"found {self.top}", "name how many to list"
            )
        if self.top and self.by != "tensor":
            raise UsageError("--top lists elements", f"found --by {self.by}", "omit --by")
        if self.top and self.spectrum:
            raise UsageError("--top lists elements", "found --spectrum", "omit one of the two")
        if self.top and self.lineage:
            raise UsageError("--top lists elements", "found --lineage", "omit one of the two")
        if self.top and self.mode != PAIR:
            raise UsageError(
                "--top lists elements of two MODELs",
                f"found {MODES[self.mode]}",
                "compare two at a time",
            )

    @property
    def mode(self) -> str:
        """What the MODELs are to each other."""
        if self.mix:
            return MIX
        if self.set:
            return SET
        if self.nearest:
            return NEAREST
        if self.bootstrap:
            return SEEDS
        if self.models > 2:
            return SERIES
        return PAIR


MODES = {
    SERIES: "a series of MODELs",
    SET: "--set",
    MIX: "--set --mix",
    NEAREST: "--nearest",
    SEEDS: "--bootstrap",
}
LEAST = {SET: 3, MIX: 3, NEAREST: 2, SEEDS: 1 + FEWEST_SEEDS}  # MODELs, with the first
ROLES = {
    SET: "a base and two tunings of it at least",
    MIX: "a base, a tuning at least, and the merged model",
    NEAREST: "a model and a candidate at least",
    SEEDS: f"A and {FEWEST_SEEDS} seeds at least",
}


def needed(o: CompareOptions, count: int) -> frozenset[int]:
    """The MODELs that a run cannot go without, by index: the first, of two both, a merged one.

    UsageError where the options do not fit the number of MODELs.
    """
    least = LEAST.get(o.mode, 0)
    if count < least:
        raise UsageError(
            f"{MODES[o.mode]} takes {ROLES[o.mode]}",
            f"found {count} MODEL{'s' * (count != 1)}",
            f"name at least {least}",
        )
    if count <= 2:
        return frozenset(range(count))
    if o.mode == MIX:
        return frozenset({0, count - 1})
    return frozenset({0})


def check_plot(o: CompareOptions) -> None:
    """Refuses a picture of rows that have none; raises UsageError."""
    if o.top:
        raise UsageError(
            "expected --plot without --top",
            "found a list, which has no picture",
            "draw it in another run",
        )
    if o.mode not in (PAIR, SERIES):
        raise UsageError(
            "expected --plot of two MODELs or of a series",
            f"found {MODES[o.mode]}, which has no picture",
            "omit --plot",
        )


def is_series(o: CompareOptions) -> bool:
    """Whether the MODELs are steps, which an animation can show."""
    return o.mode == SERIES
