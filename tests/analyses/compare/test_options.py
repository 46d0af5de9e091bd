"""Options of `compare` that exclude each other."""

from __future__ import annotations

import pytest

from weightscope.analyses.compare import CompareOptions
from weightscope.errors import UsageError


@pytest.mark.parametrize(
    ("options", "found"),
    [({"by": "role"}, "found --by role"), ({"spectrum": True}, "found --spectrum")],
)
def test_a_list_of_elements_has_no_other_rows_or_columns(options, found) -> None:
    """--top alone says what the rows are."""
    with pytest.raises(UsageError, match=f"--top lists elements; {found}; omit"):
        CompareOptions(top=3, **options)
