"""The row of a series and a statistic: its line, its trend, its unusual layers, and notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from ...notes import Note, Notes, notes_of, united
from ...statistics.series import fitted_change, loglog, outlying, spearman, theil_sen, trend
from ...statistics.series.direction import FEWEST
from ...statistics.series.residuals import Outlying
from ...statistics.series.slopes import MOST
from ..layer_names import few_ranges, layers_named
from .catalogue import statistics
from .lacking import lacking
from .products.column import NOTES, PRODUCT
from .series import Point, Series

LINE = 3  # the fewest layers of a line
NULLS = (
    "trend",
    "slope",
    "slope_low",
    "slope_high",
    "fitted_change",
    "spearman",
    "spearman_p",
    "first",
    "last",
    "ratio",
    "loglog",
    "value_se",
    "outlier_layers",
)
# codes of the notes for which no trend is judged
UNJUDGED = ("few-layers", "types-differ", "sizes-differ", "no-standard-error", "no-layer")
OF_SIZE = ("max_z",)  # statistics that grow with the number of elements, of noise too


@dataclass(frozen=True, eq=False)
class Judged:
    """A series of one statistic: all its points, the columns of its row, and its notes."""

    series: Series
    statistic: str
    points: Sequence[Point]
    values: dict[str, object]
    outlying: Outlying | None
    notes: Notes

    @property
    def measured(self) -> list[Point]:
        """The points that have a value."""
        return [point for point in self.points if point.value is not None]

    @property
    def unjudged(self) -> Note | None:
        """The first note for which there is no trend."""
        for note in self.notes:
            if note.code in UNJUDGED:
                return note
        return None


def judged(series: Series, statistic: str) -> Judged:
    """The columns of a row; nulls with a note below 3 layers."""
    points = series.points(statistic, statistics()[statistic].error)
    measured = [point for point in points if point.value is not None]
    layers = [point.layer for point in measured]
    values = [float(point.value) for point in measured if point.value is not None]
    error = _error(measured)
    outliers = None
    unlike = _types(series) or _sizes(series, statistic)
    row: dict[str, object] = dict.fromkeys(NULLS)
    if len(values) >= LINE:
        line = theil_sen(layers, values)
        power = loglog(layers, values)
        outliers = outlying(layers, values, line.slope, power)
        rank, p = spearman(layers, values)
        first, last = values[0], values[-1]
        row = {
            "trend": None if unlike else trend(line, layers, values, error),
            "slope": line.slope,
            "slope_low": line.low,
            "slope_high": line.high,
            "fitted_change": fitted_change(line, layers, values),
            "spearman": rank,
            "spearman_p": p,
            "first": first,
            "last": last,
            "ratio": last / first if first else None,
            "loglog": power,
            "value_se": error,
            "outlier_layers": _indices(outliers),
        }
    notes = united(*_notes(series, points, error, statistic, outliers, unlike))
    return Judged(series, statistic, points, {**row, "layers": len(values)}, outliers, notes)


def _error(measured: Sequence[Point]) -> float | None:
    """The standard error of one value: the median over the layers."""
    errors = [point.error for point in measured if point.error is not None]
    return median(errors) if errors else None


def _indices(outliers: Outlying | None) -> str | None:
    """The outlier layers as text; empty without any, None where they are not judged."""
    if outliers is None:
        return None
    return ",".join(str(layer) for layer in outliers.layers)


def _notes(
    series: Series,
    points: Sequence[Point],
    error: float | None,
    statistic: str,
    outliers: Outlying | None,
    unlike: Note | None,
) -> Iterator[Note | None]:
    """What is missing, why there is no trend, and what changes with depth beside the weights."""
    count = sum(point.value is not None for point in points)
    yield from lacking(series, points)
    if count:
        yield _few(count)
        yield _many(count)
        yield unlike
        if statistic not in OF_SIZE:
            yield _width(series)
    if count >= FEWEST and error is None:
        yield Note.of(
            "no-standard-error",
            "{statistic} has no standard error, a trend needs one",
            statistic=statistic,
        )
    if statistic == PRODUCT.name:
        for member in series.members:
            yield from notes_of(member.values, NOTES)
    if series.experts > 1:
        yield _over(series)
    if series.shared:
        yield _shared(series)
    if outliers is not None and outliers.curved:
        yield Note.of(
            "no-outlier-layers",
            "the series follows neither line: {n} of {all} layers lie far from the closer one, "
            "none is an outlier",
            n=outliers.curved,
            all=count,
        )


def _few(count: int) -> Note | None:
    """The note of a series too short for a line, or for a trend."""
    if count >= FEWEST:
        return None
    noun = "layer" if count == 1 else "layers"
    if count < LINE:
        return Note.of("few-layers", f"{{n}} {noun}, a line needs {LINE}", n=count)
    return Note.of("few-layers", f"{{n}} {noun}, a trend needs {FEWEST}", n=count)


def _many(count: int) -> Note | None:
    """The note of a series that is too long for all pairs of its layers."""
    if count <= MOST:
        return None
    return Note.of(
        "many-layers",
        "{n} layers: slopes are those of {most}, evenly spaced",
        n=count,
        most=MOST,
    )


def _over(series: Series) -> Note:
    """The note of several tensors in a layer: its experts, or heads that are stored apart."""
    noun = series.noun(series.experts)
    return Note.of("over-experts", f"median over {{n}} {noun} of a layer", n=series.experts)


def _shared(series: Series) -> Note:
    """The note of layers that have the tensor of another layer."""
    return Note.of(
        "shared-layers",
        "{names} stored as {owners}: counted once",
        names=layers_named(series.shared),
        owners=layers_named(set(series.shared.values())),
    )


def _types(series: Series) -> Note | None:
    """The note of layers that are stored in different types; their values are not comparable."""
    by_type: dict[str, set[int]] = {}
    for layer, members in series.layers.items():
        for member in members:
            piece = member.piece
            coded = " codes" if piece.stored.coded else ""
            by_type.setdefault(f"{piece.dtype}{coded}", set()).add(layer)
    if len(by_type) < 2:
        return None
    types = [f"{name} in {few_ranges(layers)}" for name, layers in by_type.items()]
    return Note.of(
        "types-differ", "types differ ({types}), a trend needs one", types="; ".join(types)
    )


def _sizes(series: Series, statistic: str) -> Note | None:
    """The note of layers of different sizes, for a statistic that follows the size."""
    sizes = {member.piece.params for member in series.members}
    if statistic not in OF_SIZE or len(sizes) < 2:
        return None
    return Note.of(
        "sizes-differ",
        "{low} to {high} elements, with which {statistic} grows: see {statistic}_null, "
        "a trend needs one size",
        low=min(sizes),
        high=max(sizes),
        statistic=statistic,
    )


def _width(series: Series) -> Note | None:
    """The note of matrices whose number of inputs changes, which their std follows."""
    widths = series.widths
    if len(widths) < 2:
        return None
    return Note.of(
        "width-changes",
        "fan_in from {low} to {high}, on which std depends: see gain",
        low=widths[0],
        high=widths[-1],
    )
