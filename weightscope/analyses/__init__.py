"""One folder per subcommand, listed in ANALYSES. Importing it is light: see analysis.py."""

from __future__ import annotations

from .analysis import Analysis, Listing
from .fit import FIT
from .inventory import LS
from .outliers import OUTLIERS
from .reading import Reading
from .selection import Selection
from .spectrum import SPECTRUM

ANALYSES = (LS, FIT, SPECTRUM, OUTLIERS)

__all__ = ["ANALYSES", "Analysis", "Listing", "Reading", "Selection"]
