"""Output for a terminal: line breaks in messages, and the progress bar on stderr."""

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

TICK = 0.2  # seconds between two updates of the bar
SHORTEST = 10  # cells: a shorter bar shows no progress


def prints_table(outputs: Outputs) -> bool:
    """Whether the report is a table on a terminal."""
    is_table = not outputs.format or outputs.format == "table"
    return outputs.prints and is_table and sys.stdout.isatty()


def fitted(text: str) -> str:
    """A message for stderr; on a terminal its lines are broken between words."""
    if not sys.stderr.isatty():
        return text
    wrapper = textwrap.TextWrapper(
        Screen.of(sys.stderr).width,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(wrapper.fill(line) for line in text.split("\n"))


@contextmanager
def progress(meter: Meter, tensors: int, size: int) -> Iterator[None]:
    """Shows tensors, time left, bytes, rate and a bar on stderr, as many as fit on one line."""
    console = rich_console.Console(stderr=True)
    done = threading.Event()
    # one meter runs for the whole call, and random matrices are measured after the tensors
    bytes_before, tensors_before = meter.bytes_read, meter.tensors
    parts = _parts(console.width, tensors)
    with rich_progress.Progress(*parts, console=console, transient=True) as bar:
        task = bar.add_task("", total=size, tensors=0, all=tensors)

        def watch() -> None:
            while not done.wait(TICK):
                bar.update(
                    task,
                    completed=meter.bytes_read - bytes_before,
                    tensors=meter.tensors - tensors_before,
                )

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def _parts(width: int, tensors: int) -> list[ProgressColumn]:
    """The parts that fit on one line: a longer line would break, and rich could not erase it."""
    r = rich_progress
    count = r.TextColumn("{task.fields[tensors]}/{task.fields[all]} tensors")
    # parts with their cells at most, as in 1,023.9/1,023.9 GiB
    candidates: list[tuple[int, ProgressColumn]] = [
        (2 * len(str(tensors)) + 9, count),
        (8, r.TimeRemainingColumn()),
        (19, r.DownloadColumn(True)),
        (11, r.TransferSpeedColumn()),
    ]
    left = width + 1
    parts: list[ProgressColumn] = []
    for cells, part in candidates:
        if cells < left:
            parts.append(part)
            left -= cells + 1  # a blank follows each part
    if left > SHORTEST:
        parts.append(r.BarColumn(min(40, left - 1)))
    return parts
