"""`weightscope` and `python -m weightscope`."""

from __future__ import annotations

import sys

from .cli.app import run
from .cli.exits import guarded


def main() -> None:
    """Runs the command line and exits with its code."""
    sys.exit(guarded(run))


if __name__ == "__main__":
    main()
