"""The statistics of `--stat`: columns of other commands, and the requests that fill them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from ...columns import INDEX, Column
from ...sketches.schemes import SCHEMES
from ...statistics.elements import LARGEST_Z, quantisation
from ...statistics.lines import NORM_INF
from ..fit.columns import columns as fit_columns
from ..fit.options import FitOptions
from ..fit.request import FitRequest
from ..measuring import Joined, Request
from ..outliers.columns import JUDGED
from ..outliers.columns import columns as outliers_columns
from ..outliers.options import OutliersOptions
from ..outliers.request import OutliersRequest
from ..rows import CODES, NOTE, TENSOR
from ..spectrum.columns import columns as spectrum_columns
from ..spectrum.options import SpectrumOptions
from ..spectrum.request import SpectrumRequest
from .gain import GAIN, GAIN_SE
from .products import PRODUCT, Composed, NormRequest, ProductRequest

IDENTITY = frozenset(column.name for column in (*TENSOR, NOTE, CODES))
OF_JUDGEMENT = frozenset(column.name for column in JUDGED)
HEADER = ("params", "m", "n")  # known without reading
BEHIND_GAIN = frozenset({"std", "std_se"})


@cache
def by_command() -> Mapping[str, Mapping[str, Column]]:
    """Every column of each command by its name; one that several have belongs to the first."""
    everything = {
        "depth": (GAIN, GAIN_SE, PRODUCT, *NORM_INF.columns),
        "fit": fit_columns(FitOptions(balance=True, draws=2, coding=True)),
        "spectrum": spectrum_columns(
            SpectrumOptions(balance=True, alpha_ci=True, null="shuffle", draws=2)
        ),
        "outliers": outliers_columns(OutliersOptions(quant=("all",), base="base")),
    }
    known: set[str] = set()
    commands = {}
    for command, columns in everything.items():
        commands[command] = {c.name: c for c in columns if c.name not in known}
        known.update(commands[command])
    return commands


def lack(column: Column) -> str:
    """Why a column is no statistic; "" for one."""
    if column.name in IDENTITY - set(HEADER) or column.name in OF_JUDGEMENT:
        return "it describes a tensor"
    if column.dtype not in ("int", "float"):
        return "it is text" if column.dtype == "str" else "it is true or false"
    if column.unit == INDEX:
        return "it is the number of a row or column"
    if column.option == "--draws":
        return "it is measured with --draws alone"
    if column.option == "--null":
        return "it is measured by spectrum --null alone"
    if column.option == "--base":
        return "it is measured by outliers --base alone"
    return ""


@cache
def statistics() -> Mapping[str, Column]:
    """The column of each statistic."""
    return {
        name: column
        for columns in by_command().values()
        for name, column in columns.items()
        if not lack(column)
    }


def needed(name: str) -> frozenset[str]:
    """The columns from which a statistic and its standard error are made."""
    if name in (GAIN.name, GAIN_SE.name):
        return BEHIND_GAIN
    error = statistics()[name].error
    return frozenset({name, error} if error else {name})


def request_of(
    names: tuple[str, ...],
    also: tuple[Request, ...] = (),
    more: frozenset[str] = frozenset(),
    composed: Mapping[str, Composed] | None = None,
) -> Request:
    """One request for all columns behind some statistics: equal measures are taken once.

    `also` are requests beside them, `more` columns that are no statistics of the run, `composed`
    the products of the model, for product_stable_rank.
    """
    columns = more.union(*(needed(name) for name in names))
    requests = list(_requests(columns))
    if {column.name for column in NORM_INF.columns} & columns:
        requests.append(NormRequest())
    if PRODUCT.name in columns:
        requests.append(ProductRequest(composed or {}))
    return Joined((*requests, *also))


def _requests(columns: frozenset[str]) -> Iterator[Request]:
    """The requests of the commands whose columns are needed, without pictures."""
    commands = by_command()
    of_counts = columns & {column.name for column in LARGEST_Z.columns}
    of_fit = columns & commands["fit"].keys() - set(HEADER)
    of_spectrum = columns & commands["spectrum"].keys() - set(HEADER)
    of_outliers = columns & commands["outliers"].keys() - of_counts
    if of_fit or of_counts:
        # the largest z follows from the counts of `fit`: no request of `outliers` for it
        also = (LARGEST_Z,) if of_counts else ()
        flags = _flags(commands["fit"], of_fit)
        fit = FitOptions(
            balance="--balance" in flags,
            coding="--coding" in flags,
            panels=False,
            wanted=of_fit,
        )
        yield FitRequest(fit, also)
    if of_spectrum:
        flags = _flags(commands["spectrum"], of_spectrum)
        spectrum = SpectrumOptions(
            balance="--balance" in flags,
            alpha_ci="--alpha-ci" in flags,
            panels=False,
            wanted=of_spectrum,
        )
        yield SpectrumRequest(spectrum)
    if of_outliers:
        quant = tuple(_schemes(of_outliers))
        outliers = OutliersOptions(quant=quant, panels=False, wanted=of_outliers)
        yield OutliersRequest(outliers, of_outliers)


def _flags(columns: Mapping[str, Column], names: frozenset[str]) -> set[str]:
    """The options that add the columns of some names."""
    return {columns[name].option for name in names}


def _schemes(names: frozenset[str]) -> Iterator[str]:
    """The quantisation schemes that have a column of some names."""
    for scheme in SCHEMES:
        of_scheme = {column.name for column in quantisation((scheme,)).columns}
        if of_scheme & names:
            yield scheme
