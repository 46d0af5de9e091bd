"""Options of the command line only: output files and the terminal."""

from __future__ import annotations

from dataclasses import dataclass

from ..analyses import Analysis
from ..options import Declared, declared, option
from ..records import options_of
from ..reports.inputs import STDOUT
from ..reports.writers import WRITERS

*FIRST_FORMATS, LAST_FORMAT = WRITERS
FORMATS = (", ".join(FIRST_FORMATS), LAST_FORMAT)


@dataclass(frozen=True)
class Outputs:
    """Files and format of the report, and the messages on stderr."""

    format: str | None = option(
        None,
        f"{' or '.join(FORMATS)}; a table on a terminal, CSV in a pipe.",
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
        "Draw the rows shown: .png, .svg or .pdf; a series also as .gif (extra: plot).",
        group="Output",
        metavar="FILE",
        beside="panels",
    )
    provenance: str | None = option(
        None, "Write sources, options and versions as JSON.", group="Output", metavar="FILE.json"
    )
    quiet: bool = option(False, "No progress, notes or warnings.", group="Run", short="-q")
    verbose: bool = option(
        False,
        "Print the reason of each automatic choice; tracebacks on errors.",
        group="Run",
        short="-v",
    )
    no_progress: bool = option(False, "No progress bar.", group="Run", beside="device")

    @property
    def files(self) -> tuple[str, ...]:
        """Files for the report."""
        return tuple(path for path in self.output if path != STDOUT)

    @property
    def prints(self) -> bool:
        """Whether the report goes to stdout: without --output, and with `-o -`."""
        return not self.output or STDOUT in self.output


def accepted(analysis: Analysis) -> tuple[Declared, ...]:
    """The options with a flag: those of the analysis, then those of outputs that apply to it."""
    analysis_options = options_of(analysis)
    flags = [option for option in analysis_options.values() if option.option.typed]
    for output in declared(Outputs):
        needed = output.option.beside
        if not needed or needed in analysis_options:
            flags.append(output)
    return tuple(flags)
