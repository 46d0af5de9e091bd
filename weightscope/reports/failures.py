"""What makes a complete report a failure: gates that match, and under `strict` what was not measured or not decided.

The command line prints the texts and exits with the gravest code; the Python functions raise. Both use this decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..escape import escaped
from .gate import Gate

FIRST = 5  # tensors that a message names


@dataclass(frozen=True)
class Failure:
    """An exit code and its reason; code 0 is a warning."""

    code: int
    text: str


def failures(gates: Sequence[Gate], unmeasured: Sequence[str], strict: bool) -> tuple[Failure, ...]:
    """The failures of a report, in the order of its gates.

    >>> failures((), ("h.0.w",), strict=True)
    (Failure(code=4, text='--strict: 1 tensor could not be measured: h.0.w'),)
    """
    found = [failure for gate in gates for failure in _of_gate(gate, strict)]
    if strict and unmeasured:
        many = f"{len(unmeasured)} tensor{'s' * (len(unmeasured) > 1)}"
        names = ", ".join(escaped(name) for name in unmeasured[:FIRST])
        found.append(Failure(4, f"--strict: {many} could not be measured: {names}"))
    return tuple(found)


def _of_gate(gate: Gate, strict: bool) -> tuple[Failure, ...]:
    if gate.count:
        return (Failure(1, str(gate)),)
    if gate.undecided:
        return (Failure(4 if strict else 0, f"warning: {gate}"),)
    return ()
