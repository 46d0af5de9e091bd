"""Sizes as people type them."""

import pytest

from weightscope.errors import UsageError
from weightscope.sizes import size_of


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512MiB", 2**29),
        ("4GiB", 2**32),
        ("1 gb", 10**9),
        ("100", 100),
        ("1.5k", 1536),
        ("2m", 2**21),
        ("3G", 3 * 2**30),
    ],
)
def test_sizes(text, size):
    """Powers of two by default, of ten where they say so."""
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "-1GiB", "0", "1e400GiB", "4 elephants", "nan"])
def test_wrong_sizes(text):
    """A number and a unit were expected."""
    with pytest.raises(UsageError, match="memory takes a size such as 512MiB"):
        size_of(text)
