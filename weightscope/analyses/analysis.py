"""An analysis is one question: options, columns, and a generator of rows and panels.

Its declaration is light: what computes the answers is loaded on first use, since help needs none of
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..columns import Column, Found
from ..options import declared
from ..running import Running

if TYPE_CHECKING:
    from ..engine.unit import Measurer
    from .gathering import Setting
    from .piece import Model, Piece


@dataclass(frozen=True)
class Answering:
    """How an analysis answers.

    `columns` and `optional` follow from the options alone, before anything is opened. `rows` may
    yield a Message, a sentence for people before or after the table.
    """

    columns: Callable[[Any], tuple[Column, ...]]
    optional: Callable[[Any], Mapping[str, str]]  # absent columns -> the option that brings them
    rows: Callable[[Sequence[Model], Any, Measurer], Iterator[Found]]
    models: Callable[
        [Sequence[Any], Any, Setting], tuple[Model, ...]
    ]  # what is opened, and which pieces of it
    applies: Callable[[Piece], bool] = field(
        default=lambda piece: True
    )  # else it cannot be unmeasured


@dataclass(frozen=True)
class Listing:
    """What a terminal shows to a person who chose no rows; it gives way to the named options."""

    where: str = ""  # a condition on rows
    rest: str = ""  # what stderr says of the others
    sort: str = ""
    gives_way: tuple[str, ...] = ("where",)


@dataclass(frozen=True)
class Analysis:
    """The subcommand `name`, as help, functions, pages and tests know it.

    `work` is the module with its ANSWERING; `check_plot` refuses options whose rows have no picture.
    """

    name: str
    options: type  # its own record; `uses` are the others
    work: Any
    summary: str  # the first lines of its help and its docstring
    example: str  # a command line that runs
    call: tuple[str, str]  # a Python expression that runs, and its value
    runs: Mapping[str, Mapping[str, Any]]  # by title: options; together they have all columns
    uses: tuple[type, ...]  # shared records: see uses.py
    listed: Callable[[Any], Listing] = field(default=lambda options: Listing())
    check_plot: Callable[[Any], None] = field(default=lambda options: None)
    least: int = 1  # of MODELs

    @property
    def measures(self) -> bool:
        """Whether tensors are read: one that could not be measured is an error under --strict."""
        return Running in self.uses

    @property
    def draws(self) -> bool:
        """Whether it has a picture."""
        return any(each.option.follows == "plot" for each in declared(self.options))

    @property
    def answering(self) -> Answering:
        """How it answers; loads what computes."""
        answering: Answering = self.work.ANSWERING
        return answering

    def columns(self, options: Any) -> tuple[Column, ...]:
        """The columns of a run."""
        return self.answering.columns(options)

    def optional(self, options: Any) -> Mapping[str, str]:
        """Columns that a run lacks, and the option that brings each."""
        return self.answering.optional(options)

    def models(self, sources: Sequence[Any], options: Any, setting: Setting) -> tuple[Model, ...]:
        """The sources, opened, with the pieces that count."""
        return self.answering.models(sources, options, setting)

    def rows(self, models: Sequence[Model], options: Any, measure: Measurer) -> Iterator[Found]:
        """The answers, while they are measured."""
        return self.answering.rows(models, options, measure)

    def applies(self, piece: Piece) -> bool:
        """Whether a piece that was not measured is a loss."""
        return self.answering.applies(piece)
