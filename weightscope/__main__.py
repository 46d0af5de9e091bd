"""`weightscope` and `python -m weightscope`."""

from __future__ import annotations

import sys
from importlib import import_module

from .cli.interrupts import leave_if_received, watch


def main() -> None:
    """Runs the command line and exits with its code."""
    watch()
    # loaded after the handlers of signals: an interrupt of their imports would be a traceback
    exits = import_module("weightscope.cli.exits")
    code = exits.guarded(lambda: import_module("weightscope.cli.app").run())
    leave_if_received()
    sys.exit(code)


if __name__ == "__main__":
    main()
