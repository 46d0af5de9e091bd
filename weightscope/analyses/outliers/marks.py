"""The properties of rows and columns that findings refer to, and the notes that list them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING

from ...notes import Note

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...lazy import numpy as np

    Places = Mapping["Mark", NDArray[np.int64]]  # indices of rows or columns, ascending


class Mark(Enum):
    """A property of rows or columns, and the side of the matrix."""

    DEAD_ROWS = "dead", "rows"
    DEAD_COLUMNS = "dead", "columns"
    INNER_DEAD_ROWS = "inner dead", "rows"  # followed by rows that are not dead: no padding
    INNER_DEAD_COLUMNS = "inner dead", "columns"
    PADDING_ROWS = "padding", "rows"  # the only inner dead row, where a padding token is
    CONSTANT_ROWS = "constant", "rows"
    CONSTANT_COLUMNS = "constant", "columns"
    OUTLIER_ROWS = "outlier", "rows"
    OUTLIER_COLUMNS = "outlier", "columns"
    ONE_SIGN_ROWS = "one-sign", "rows"
    ONE_SIGN_COLUMNS = "one-sign", "columns"
    DUPLICATE_ROWS = "duplicate", "rows"
    UNTRAINED_ROWS = "untrained", "rows"
    CHANGED_ROWS = "changed", "rows"
    EQUAL_CHANGED_ROWS = "equal changed", "rows"

    @property
    def text(self) -> str:
        """The property in the words of a note.

        >>> Mark.ONE_SIGN_COLUMNS.text
        'one-sign columns'
        """
        return " ".join(self.value)


def named(mark: Mark, at: NDArray[np.int64]) -> Note:
    """A note that lists ascending indices of rows or columns.

    >>> from weightscope.lazy import numpy as np
    >>> named(Mark.DEAD_ROWS, np.array([3, 32, 33, 34, 90])).text
    'dead rows 3, 32:35, 90'
    """
    indices = tuple(at.tolist())
    template = f"{mark.text} {{rows}}"
    # Codes are written out so that a search finds them.
    _, side = mark.value
    if side == "rows":
        return Note.of("rows", template, rows=indices)
    return Note.of("columns", template, rows=indices)
