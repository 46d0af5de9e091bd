"""Options, each declared once: at the field of the record that holds its value.

Flags of the command line, keywords of the Python functions, their docstrings and the pages are
made from these declarations. A record is a frozen dataclass; its module imports nothing heavy, so
that `--help` is fast.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from inspect import formatannotation
from typing import Any, Literal

OWN = ""  # the group of a command's own options
GROUPS = (OWN, "Select", "Output", "Gate", "Open", "Run")  # headings of a help text, in their order
KEY = "option"  # of a field's metadata

Follows = Literal["", "plot", "terminal", "elsewhere"]
Reads = Literal["", "model", "file"]


@dataclass(frozen=True)
class Option:
    """The declaration of an option beside the name, type and default of its field.

    A flag `--alpha-cut` follows from the name `alpha_cut`, `--no-split` from a `split` that is True
    by default.
    """

    help: str  # one sentence, for the command line, docstrings and pages
    group: str = OWN
    metavar: str | None = None
    short: str = ""  # a second flag, such as -i
    minimum: int | None = None  # on the command line
    repeatable: bool = False  # each use of the flag adds one
    commas: bool = False  # one text holds several
    numbers: bool = False  # of ranges as text: in Python also a whole number, or several
    table: bool = False  # on the command line the file that takes the table of this name
    typed: bool = True  # False: it is no flag of the command line
    follows: Follows = ""  # on the command line also set where a picture or table is drawn
    reads: Reads = ""  # its value names an input, which no output may replace
    beside: str = ""  # accepted only by a command that has the option of this name


@dataclass(frozen=True)
class Declared:
    """An option with its field: `kind` is the text of the annotation."""

    name: str
    kind: str
    default: Any
    option: Option

    @property
    def several(self) -> bool:
        """Whether it takes several values."""
        return isinstance(self.default, tuple)

    @property
    def switch(self) -> bool:
        """Whether it is a bool."""
        return isinstance(self.default, bool)

    @property
    def negated(self) -> bool:
        """Whether its flag switches off a default."""
        return self.default is True and not self.option.follows

    @property
    def flag(self) -> str:
        """Its long flag.

        >>> Declared("alpha_cut", "float", 0.0, Option("")).flag
        '--alpha-cut'
        >>> Declared("split", "bool", True, Option("")).flag
        '--no-split'
        """
        negation = "no-" if self.negated else ""
        return f"--{negation}{self.name.replace('_', '-')}"


def option(default: Any, help: str, **more: Any) -> Any:
    """A field that a user sets: its default, its help and other fields of Option."""
    return field(default=default, metadata={KEY: Option(help, **more)})


def derived(default: Any) -> Any:
    """A field that is computed from the call: no flag and no keyword."""
    return field(default=default)


@cache  # every call of a command looks through a dozen records
def declared(record: type) -> tuple[Declared, ...]:
    """The options of a record, in the order of its fields."""
    options = []
    for part in fields(record):
        if KEY not in part.metadata:
            continue
        kind = part.type
        if not isinstance(kind, str):
            kind = formatannotation(kind)
        options.append(Declared(part.name, kind, part.default, part.metadata[KEY]))
    return tuple(options)
