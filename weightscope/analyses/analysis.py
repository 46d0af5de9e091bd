"""An analysis is one subcommand: options, columns, and a generator of rows and panels.

Its declaration is light: the modules that compute are loaded on first use, since help needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..columns import Column, Found
from ..errors import UsageError
from ..options import declared
from ..running import Running

if TYPE_CHECKING:
    from ..engine.unit import Measurer
    from .gathering import Setting
    from .piece import Model, Piece
    from .selection import Selection


@dataclass(frozen=True)
class Answering:
    """The functions of an analysis.

    `columns` and `optional` depend on the options only, before anything is opened. `rows` may
    yield a Message, a sentence before or after the table.
    """

    columns: Callable[[Any], tuple[Column, ...]]
    optional: Callable[[Any], Mapping[str, str]]  # absent columns -> the option that adds them
    rows: Callable[[Sequence[Model], Any, Measurer], Iterator[Found]]
    # Opens the sources and selects their pieces.
    models: Callable[[Sequence[Any], Any, Setting], tuple[Model, ...]]
    # Whether a piece without a measurement is an error under --strict.
    applies: Callable[[Piece], bool] = field(default=lambda piece: True)
    # Why a piece is left out on purpose, a key of coverage.REASONS; "" where it is measured.
    lack: Callable[[Piece], str] = field(default=lambda piece: "")
    # The same of pieces by their id, where the reason depends on the model and the options.
    lacks: Callable[[Model, Any], Mapping[int, str]] = field(default=lambda model, options: {})
    # Why a model cannot be measured at all; the others among several MODELs are.
    refusal: Callable[[Model, Selection, Any], UsageError | None] = field(
        default=lambda model, selection, options: None
    )


@dataclass(frozen=True)
class Listing:
    """The rows that a terminal shows by default; any of the options `gives_way` replaces it."""

    where: str = ""  # an expression over rows
    rest: str = ""  # the message about hidden rows, on stderr
    sort: str = ""
    gives_way: tuple[str, ...] = ("where",)


@dataclass(frozen=True)
class Analysis:
    """The declaration of the subcommand `name`, for help, functions, pages and tests.

    `work` is the module with its ANSWERING; `check_plot` refuses options whose rows have no
    picture. `is_series` states whether the MODELs are the steps of a series, whose picture may be
    an animation.
    """

    name: str
    options: type  # its record of options; `uses` are the shared ones
    work: Any
    summary: str  # the first lines of its help and its docstring
    example: str  # a command line that runs
    call: tuple[str, str]  # a Python expression that runs, and its value
    runs: Mapping[str, Mapping[str, Any]]  # title -> options; together they have all columns
    uses: tuple[type, ...]  # shared records: see uses.py
    listed: Callable[[Any], Listing] = field(default=lambda options: Listing())
    check_plot: Callable[[Any], None] = field(default=lambda options: None)
    is_series: Callable[[Any], bool] = field(default=lambda options: False)
    least: int = 1  # the smallest number of MODELs
    # The MODELs, by index, that a run with these options and so many cannot go without; raises
    # UsageError where options and number do not fit.
    needed: Callable[[Any, int], Collection[int]] = field(default=lambda options, count: ())
    takes_reports: bool = False  # whether its first MODEL may be a stored report
    baseline: bool = True  # whether a stored report of it may be that MODEL
    remarks: tuple[str, ...] = ()  # paragraphs of its help below the options

    @property
    def measures(self) -> bool:
        """Whether tensors are read: one that could not be measured is an error under --strict."""
        return Running in self.uses

    @property
    def has_picture(self) -> bool:
        """Whether it has a picture."""
        follows = {field.option.follows for field in declared(self.options)}
        return "plot" in follows

    @property
    def answering(self) -> Answering:
        """Its functions; loads the modules that compute."""
        answering: Answering = self.work.ANSWERING
        return answering

    def columns(self, options: Any) -> tuple[Column, ...]:
        """The columns of a run."""
        return self.answering.columns(options)

    def optional(self, options: Any) -> Mapping[str, str]:
        """Columns that a run lacks, and the option that adds each."""
        return self.answering.optional(options)

    def models(self, sources: Sequence[Any], options: Any, setting: Setting) -> tuple[Model, ...]:
        """The opened sources with the selected pieces."""
        return self.answering.models(sources, options, setting)

    def refusal(self, model: Model, selection: Selection, options: Any) -> UsageError | None:
        """Why a model cannot be measured at all."""
        return self.answering.refusal(model, selection, options)

    def rows(self, models: Sequence[Model], options: Any, measure: Measurer) -> Iterator[Found]:
        """Rows, panels and messages, while tensors are measured."""
        return self.answering.rows(models, options, measure)

    def required(self, options: Any, count: int) -> Collection[int]:
        """The MODELs, of so many, that a run cannot go without: all where it needs several."""
        if self.least > 1:
            return range(count)
        return self.needed(options, count)

    def applies(self, piece: Piece) -> bool:
        """Whether a piece without a measurement is an error under --strict."""
        return self.answering.applies(piece)
