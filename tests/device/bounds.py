"""How often a measure may wait for a GPU, and send it something, whatever the stack."""

from __future__ import annotations

from weightscope.sketches import Balanced, Shuffled, Untrained

# Waits of the host for one tile of a stack, most: of NaN and zeros, of any type.
WAITS = {
    "Count": 3,
    "MarginSums": 4,
    "Beyond": 7,
    "Decompose": 3,
    "Factor": 2,
    "Groups": 1,
    "Hashes": 1,
    "Quantise": 3,
    "Top": 2,
    "Duplicates": 2,
    "Untrained": 1,
    "Kept": 1,
    "RowPairs": 1,
    "AbsoluteSums": 1,
    "Pairwise": 1,
    "Changes": 2,
    "RowSample": 2,
    "TopChanges": 1,
    "TaskVectors": 1,
    "SharedOutliers": 8,
    "Overlap": 5,
    "Cross": 4,
}
# Copies from pinned memory, without a wait: constants, and what the host has chosen.
COPIES = {
    "Count": 1,
    "Beyond": 3,
    "Hashes": 2,
    "Duplicates": 4,
    "Untrained": 1,
    "RowSample": 1,
    "RowPairs": 1,
    "SharedOutliers": 2,
}
OF_TABLES = 2  # of the values of a coded type of A and of B, once in a process
WRAPPERS = {"Balanced", "Shuffled"}  # their bounds follow from those of what they wrap
OF_A_SWEEP = 1
OF_BINS = 4  # of large matrices, which have no table of all values
OF_QUARTILES = 6  # of the look for them


def bound(measure, passes: int) -> int:
    """The most waits of a measure, those of wrapped ones included."""
    if isinstance(measure, Balanced):
        logarithms = 2
        inner = sum(bound(one, passes) for one in measure.of)
        return passes * OF_A_SWEEP + logarithms + inner
    if isinstance(measure, Shuffled):
        return 1 + bound(measure.of, passes)
    if isinstance(measure, Untrained):  # a look has two passes
        return WAITS["Untrained"] + passes // 2
    return WAITS[type(measure).__name__]


def most_copies(measure, passes: int) -> int:
    """The most copies of a measure, those of wrapped ones included."""
    if isinstance(measure, Balanced):
        return OF_TABLES + sum(most_copies(one, passes) for one in measure.of)
    if isinstance(measure, Shuffled):
        return 1 + most_copies(measure.of, passes)
    most = OF_TABLES + COPIES.get(type(measure).__name__, 0)
    if isinstance(measure, Untrained):  # the rows of a look, and those in a tile of each pass
        most += 3 * (passes // 2)
    return most
