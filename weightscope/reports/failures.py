"""What makes a report a failure: a matching gate, unmeasured tensors, a MODEL that did not open.

The command line prints the texts and exits with the most severe code; the Python functions raise.
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


def failures(
    gates: Sequence[Gate],
    unmeasured: Sequence[str],
    strict: bool,
    refused: Sequence[str] = (),
) -> tuple[Failure, ...]:
    """The failures of a report, in the order of its gates.

    >>> failures((), ("h.0.w",), strict=True)
    (Failure(code=4, text='--strict: 1 tensor could not be measured: h.0.w'),)
    """
    result: list[Failure] = []
    for gate in gates:
        if gate.count:
            result.append(Failure(1, str(gate)))
        elif gate.undecided:
            result.append(Failure(4 if strict else 0, f"warning: {gate}"))
    if strict and unmeasured:
        tensors = f"{len(unmeasured)} tensor{'s' * (len(unmeasured) > 1)}"
        names = ", ".join(escaped(name) for name in unmeasured[:FIRST])
        result.append(Failure(4, f"--strict: {tensors} could not be measured: {names}"))
    result += [Failure(3, f"not measured: {text}") for text in refused]
    return tuple(result)
