"""Options of the command line alone: files and the terminal. The library knows none of them."""

from __future__ import annotations

from dataclasses import dataclass

from ..analyses import Analysis
from ..options import Declared, declared, option
from ..records import options_of
from ..reports.inputs import STDOUT


@dataclass(frozen=True)
class Outputs:
    """Where the report goes and in which format, and what is said beside it."""

    format: str | None = option(
        None,
        "table, csv, tsv, json, jsonl, parquet or markdown; a table on a terminal, CSV in a pipe.",
        group="Output",
        metavar="FORMAT",
        short="-f",
    )
    output: tuple[str, ...] = option(
        (),
        "Write to FILE instead of stdout, format from its suffix; - is stdout.",
        group="Output",
        metavar="FILE",
        short="-o",
        repeatable=True,
    )
    plot: str | None = option(
        None,
        "Draw the rows shown: .png, .svg or .pdf (extra: plot).",
        group="Output",
        metavar="FILE",
        beside="panels",
    )
    provenance: str | None = option(
        None, "Write where the numbers come from.", group="Output", metavar="FILE.json"
    )
    quiet: bool = option(False, "No progress, notes or warnings.", group="Run", short="-q")
    verbose: bool = option(
        False, "Say why each choice was made; tracebacks on faults.", group="Run", short="-v"
    )
    no_progress: bool = option(False, "No progress bar.", group="Run", beside="device")

    @property
    def files(self) -> tuple[str, ...]:
        """Files that take the report."""
        return tuple(path for path in self.output if path != STDOUT)

    @property
    def prints(self) -> bool:
        """Whether the report goes to stdout: where no --output is given, and with `-o -`."""
        return not self.output or STDOUT in self.output


def accepted(analysis: Analysis) -> tuple[Declared, ...]:
    """The options that a command has flags for: its analysis's, then those of outputs that apply."""
    known = options_of(analysis)
    own = tuple(option for option in known.values() if option.option.typed)
    beside = (option for option in declared(Outputs) if option.option.beside in ("", *known))
    return (*own, *beside)
