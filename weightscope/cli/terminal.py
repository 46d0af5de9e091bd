"""What the terminal changes: the compact table with its small histograms, and the progress bar on stderr."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..heavy import rich_console, rich_progress
from .options import Shared

if TYPE_CHECKING:
    from ..api import Meter

TICK = 0.2  # seconds between two looks at the meter


def drawing(shared: Shared) -> bool:
    """Whether the answer goes to a person: a table on a terminal, not a file."""
    return not shared.output and (shared.format or "table") == "table" and sys.stdout.isatty()


@contextmanager
def progress(meter: Meter, tensors: int, size: int) -> Iterator[None]:
    """Tensors, bytes, rate and time left on stderr while the work goes on."""
    r = rich_progress
    columns = (
        r.TextColumn("{task.fields[tensors]}/{task.fields[all]} tensors"),
        r.BarColumn(),
        r.DownloadColumn(True),
        r.TransferSpeedColumn(),
        r.TimeRemainingColumn(),
    )
    done = threading.Event()
    with r.Progress(*columns, console=rich_console.Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=size, tensors=0, all=tensors)

        def watch() -> None:
            while not done.wait(TICK):
                bar.update(task, completed=meter.bytes_read, tensors=meter.tensors)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
