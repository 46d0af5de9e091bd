"""What lines of a matrix may be, as a finding and its judgement name them, and how a note tells which they are."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING

from ...notes import Note

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...lazy import numpy as np

    Places = Mapping["Mark", NDArray[np.int64]]  # which lines, ascending


class Mark(Enum):
    """What lines are, and on which side of the matrix."""

    DEAD_ROWS = "dead", "rows"
    DEAD_COLUMNS = "dead", "columns"
    INNER_DEAD_ROWS = "inner dead", "rows"  # others follow that are not dead: no padding
    INNER_DEAD_COLUMNS = "inner dead", "columns"
    CONSTANT_ROWS = "constant", "rows"
    CONSTANT_COLUMNS = "constant", "columns"
    LOUD_ROWS = "loud", "rows"
    LOUD_COLUMNS = "loud", "columns"
    ONE_SIGN_ROWS = "one-sign", "rows"
    ONE_SIGN_COLUMNS = "one-sign", "columns"
    DUPLICATE_ROWS = "duplicate", "rows"
    UNTRAINED_ROWS = "untrained", "rows"
    CHANGED_ROWS = "changed", "rows"
    EQUAL_CHANGED_ROWS = "equal changed", "rows"

    @property
    def text(self) -> str:
        """As a note names them.

        >>> Mark.ONE_SIGN_COLUMNS.text
        'one-sign columns'
        """
        return " ".join(self.value)


def named(mark: Mark, at: NDArray[np.int64]) -> Note:
    """Ascending lines as a note.

    >>> from weightscope.lazy import numpy as np
    >>> named(Mark.DEAD_ROWS, np.array([3, 32, 33, 34, 90])).text
    'dead rows 3, 32:35, 90'
    """
    lines, template = tuple(at.tolist()), f"{mark.text} {{rows}}"
    _, side = mark.value
    return (
        Note.of("rows", template, rows=lines)
        if side == "rows"
        else Note.of("columns", template, rows=lines)
    )
