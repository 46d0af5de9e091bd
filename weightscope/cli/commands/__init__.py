"""One thin file per subcommand; a new one is its file and its line here."""

from __future__ import annotations

from . import fit, ls, outliers, spectrum

COMMANDS = (ls, fit, spectrum, outliers)
