"""What is measured on the pretended device and on real ones: every measure, type and layout."""

from __future__ import annotations

from collections.abc import Iterator

from tests.device.taking import Stack, stack_of
from tests.sketches.conftest import EXAMPLES, PAIRED_EXAMPLES
from weightscope.dtypes import DTYPES
from weightscope.sketches import SCHEMES, Beyond, Count, Cross, Overlap, Quantise

Stacks = dict[str, Stack]
TYPES = [name for name, dtype in DTYPES.items() if dtype.kind != "none"]
FLOATS = ("F32", "BF16")
FEW_TYPES = (*FLOATS, "F8_E4M3", "U16")
ALL_SCHEMES = Quantise(tuple(SCHEMES))
SHAPE = (12, 20)
LARGE = (260, 256)  # more elements than are counted by value

PLAIN = [m for several in EXAMPLES.values() for m in several if not hasattr(m, "of")]
WRAPPING = [m for several in EXAMPLES.values() for m in several if hasattr(m, "of")]
PAIRED = [m for several in PAIRED_EXAMPLES.values() for m in several] + [Overlap(), Cross()]


def of_one_entry(measure, turned: bool) -> Iterator[Stacks]:
    """Every type; of all schemes of quantisation a few, since one scheme has them all."""
    types = FEW_TYPES if measure == ALL_SCHEMES else TYPES
    for dtype in types:
        yield {"b": stack_of(dtype, SHAPE, turned)}


def of_measures(measure) -> Iterator[Stacks]:
    """Measures of measures hand on one type, so few suffice."""
    for dtype in FEW_TYPES:
        yield {"b": stack_of(dtype, SHAPE, dtype == "BF16")}


def of_several_entries(measure) -> Iterator[Stacks]:
    """A and B of one type and of two, in one layout and in two, and a difference."""
    for number, dtype in enumerate(TYPES):
        turned = bool(number % 2)
        other = FLOATS[number % 2]
        delta = stack_of("F32", SHAPE, turned, seed=3)
        b = stack_of(dtype, SHAPE, turned, seed=1)
        for a in (stack_of(dtype, SHAPE, turned, seed=2), stack_of(other, SHAPE, seed=2)):
            yield {"a": a, "b": b, "delta": delta}


def of_large_matrices(measure) -> Iterator[Stacks]:
    """Wide types that are counted in bins, with subnormals, few values and zero lower halves."""
    for dtype in ("F32", "F64", "I32", "U32"):
        yield {"b": stack_of(dtype, LARGE, dtype == "F64")}
    stored, dtype = stack_of("F32", LARGE)
    yield {"b": (stored + 1e4, dtype)}  # a mean that is large beside the spread
    stored[1] = stored[0].bfloat16().float()  # a bin has one value
    stored[2] = (4 * stored[0]).round()
    stored[0, 5] = 1e-40
    yield {"b": (stored, dtype)}


def every() -> Iterator[tuple[object, Stacks]]:
    """All measures with all their cases."""
    for measure in PLAIN:
        for turned in (False, True):
            for stacks in of_one_entry(measure, turned):
                yield measure, stacks
    for measure in WRAPPING:
        for stacks in of_measures(measure):
            yield measure, stacks
    for measure in PAIRED:
        for stacks in of_several_entries(measure):
            yield measure, stacks
    for measure in (Count(), Beyond()):
        for stacks in of_large_matrices(measure):
            yield measure, stacks
