"""`weightscope` and `python -m weightscope`."""

from __future__ import annotations

import sys

from .cli.interrupts import watch
from .lazy import Lazy

# loaded after the handlers of signals: an interrupt of their imports would be a traceback
app = Lazy("weightscope.cli.app")
exits = Lazy("weightscope.cli.exits")


def main() -> None:
    """Runs the command line and exits with its code."""
    watch()
    sys.exit(exits.guarded(lambda: app.run()))


if __name__ == "__main__":
    main()
