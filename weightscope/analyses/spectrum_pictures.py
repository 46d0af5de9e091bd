"""What `spectrum` draws."""

from __future__ import annotations

from collections.abc import Mapping

from ..columns import Panel, titled
from ..statistics.spectrum import Spectrum


def panel(found: Spectrum | None, cut: float | None, of: Mapping[str, object]) -> Panel:
    """Nothing yet."""
    return Panel(titled(of), "spectrum", of=of, note="not drawn")
