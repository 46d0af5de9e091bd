"""The list of findings: what each means, why it matters, what to do, and where it was observed."""

from __future__ import annotations

from .finding import Finding
from .line_findings import OF_LINES
from .weight_findings import OF_WEIGHTS

FINDINGS: tuple[Finding, ...] = tuple(
    sorted((*OF_WEIGHTS, *OF_LINES), key=lambda finding: finding.id)
)
