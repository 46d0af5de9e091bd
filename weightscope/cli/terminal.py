"""What the terminal changes: the compact table with its small histograms, and the progress bar on stderr."""

from __future__ import annotations

import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..lazy import rich_console, rich_progress
from ..reports.screen import Screen
from .options import Outputs

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

    from ..api import Meter

TICK = 0.2  # seconds between two looks at the meter
SHORTEST = 10  # cells: a shorter bar tells nothing


def drawing(outputs: Outputs) -> bool:
    """Whether the answer goes to a person: a table on a terminal, not a file."""
    return outputs.prints and (outputs.format or "table") == "table" and sys.stdout.isatty()


def fitted(text: str) -> str:
    """What is said on stderr, broken between words where a terminal would break it anywhere."""
    if not sys.stderr.isatty():
        return text
    fill = textwrap.TextWrapper(
        Screen.of(sys.stderr).width,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    ).fill
    return "\n".join(map(fill, text.split("\n")))


@contextmanager
def progress(meter: Meter, tensors: int, size: int) -> Iterator[None]:
    """Tensors, time left, bytes, rate and a bar on stderr while the work goes on, as many as a line holds."""
    console = rich_console.Console(stderr=True)
    done, before = (
        threading.Event(),
        (meter.bytes_read, meter.tensors),
    )  # draws are measured after the matrices
    with rich_progress.Progress(
        *_parts(console.width, tensors), console=console, transient=True
    ) as bar:
        task = bar.add_task("", total=size, tensors=0, all=tensors)

        def watch() -> None:
            while not done.wait(TICK):
                bar.update(
                    task, completed=meter.bytes_read - before[0], tensors=meter.tensors - before[1]
                )

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def _parts(width: int, tensors: int) -> list[ProgressColumn]:
    """The parts of the line that fit; a line that is too long would break and not be wiped."""
    r, left = rich_progress, width + 1
    kept: list[ProgressColumn] = []
    for cells, part in (  # at most, as in 1,023.9/1,023.9 GiB
        (
            2 * len(str(tensors)) + 9,
            r.TextColumn("{task.fields[tensors]}/{task.fields[all]} tensors"),
        ),
        (8, r.TimeRemainingColumn()),
        (19, r.DownloadColumn(True)),
        (11, r.TransferSpeedColumn()),
    ):
        if cells < left:
            kept.append(part)
            left -= cells + 1
    return [*kept, r.BarColumn(min(40, left - 1))] if left > SHORTEST else kept
