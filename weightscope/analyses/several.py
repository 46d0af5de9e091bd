"""The option of commands that measure several MODELs, each for itself."""

from __future__ import annotations

from dataclasses import dataclass

from ..options import option


@dataclass(frozen=True)
class Several:
    """What follows from a MODEL that cannot be opened; commands without it end at once."""

    fail_fast: bool = option(
        False,
        "End at the first MODEL that cannot be opened; exits as for it alone.",
        group="Open",
    )
