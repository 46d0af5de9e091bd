"""The table of layouts is complete: weights of codes, and names in the documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from weightscope.checkpoints.layouts import LAYOUTS, STANDS_FOR

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
# Endings of codes that are named like their weight, and of further codes of a weight.
OWN = {"", ".weight", ".kernel", "_blocks"}
PARTS = {".res_indices", ".outlier_indices", ".Qidxs_0", ".Qidxs_1", ".Qidxs_2"}


@pytest.mark.parametrize("codes", sorted({layout.codes for layout in LAYOUTS}))
def test_codes_have_the_role_of_a_weight(codes: str) -> None:
    """Codes with a name of their own are in STANDS_FOR: without it their role is `unknown`."""
    assert (codes in STANDS_FOR) is not (codes in OWN | PARTS)


def test_every_layout_is_in_the_documents() -> None:
    """The first word of its name is in the table of quantised layouts."""
    _, _, text = PAGE.read_text("utf-8").partition("### Quantised layouts")
    section, _, _ = text.partition("\n### ")
    names = {layout.name.split()[0] for layout in LAYOUTS}
    assert [name for name in sorted(names) if name not in section] == []
