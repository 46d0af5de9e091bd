"""`--spectrum`: the statistics of `spectrum` on the difference."""

from __future__ import annotations

from dataclasses import replace

from ...statistics.pairs import DELTA, labels
from ...statistics.pairs.delta import OF_DELTA
from ...statistics.statistic import At, Statistic, under
from ..spectrum.options import SpectrumOptions
from ..spectrum.request import statistics

OPTIONS = SpectrumOptions()
# names that the Gram matrix of A and D, or the law of D, has already
TAKEN = {
    column.name.removeprefix("delta_")
    for statistic in (DELTA, *OF_DELTA)
    for column in statistic.columns
    if column.name.startswith("delta_")
}


def _of_difference(statistic: Statistic) -> Statistic:
    """The statistic of D, its columns marked with the option that adds them."""
    of_delta = under(labels.DELTA, "delta_", statistic, TAKEN)
    columns = tuple(replace(column, option="--spectrum") for column in of_delta.columns)
    return replace(of_delta, columns=columns)


OF_SPECTRUM = tuple(_of_difference(statistic) for statistic in statistics(OPTIONS))
# the singular values of A and of B, for a picture
OF_SIDES = frozenset({At(label, OPTIONS.measure) for label in (labels.A, labels.B)})
SPECTRAL = frozenset({labels.OVERLAP, At(labels.DELTA, OPTIONS.measure), *OF_SIDES})
