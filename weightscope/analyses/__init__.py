"""One folder per subcommand, listed in ANALYSES. Importing it is light: see analysis.py."""

from __future__ import annotations

from .analysis import Analysis, Listing
from .compare import COMPARE
from .depth import DEPTH
from .fit import FIT
from .inventory import LS
from .name_options import NameOptions
from .outliers import OUTLIERS
from .selection import Selection
from .spectrum import SPECTRUM

ANALYSES = (LS, FIT, SPECTRUM, OUTLIERS, COMPARE, DEPTH)

__all__ = ["ANALYSES", "Analysis", "Listing", "NameOptions", "Selection"]
