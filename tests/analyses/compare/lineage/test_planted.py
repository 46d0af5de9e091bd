"""Every rule, planted in a small model: clean, with noise, rounded, and its negative."""

from __future__ import annotations

import pytest
import torch

from tests.analyses.compare.lineage import planted
from tests.analyses.compare.lineage.planted import LEAST, STORED, compare, said

COLUMNS = (
    "tensor",
    "tensor_b",
    "kind",
    "rule",
    "matched_share",
    "matched_cosine",
    "matched_cosine_null",
)
A = planted.model()
WIDTHS = {48: 36, 72: 54}
HALVES = {48: 24, 72: 36}
SLICES = {
    "rows and columns by linspace 3/4": (WIDTHS, planted.linspace, planted.linspace),
    "rows and columns by first 3/4": (WIDTHS, planted.first, planted.first),
    "rows by first 3/4, columns by linspace 3/4": (WIDTHS, planted.first, planted.linspace),
    "rows by stride 2, columns by first 1/2": (HALVES, planted.stride, planted.first),
}
DEEP = planted.model(layers=6, width=32, hidden=40)
OTHER = planted.model(1, layers=6, width=32, hidden=40)


def searched(a, b, **options):
    """The report with the columns of a search alone."""
    return compare(a, b, columns=COLUMNS, **options)


def named(report, text: str) -> list[dict]:
    """The rows whose rule has this text."""
    return [row for row in report.rows if row["rule"] and text in row["rule"]]


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize("rule", SLICES)
def test_a_slice_is_found_in_each_matrix(rule, stored) -> None:
    """Rows and columns have a map each; vectors follow the map of their index set."""
    b = STORED[stored](planted.cut(A, *SLICES[rule]))
    report = searched(A, b)
    found = named(report, rule)
    assert len(found) == 10
    assert all(row["matched_cosine"] >= LEAST[stored] for row in found)
    assert all(row["matched_cosine"] >= 2 * row["matched_cosine_null"] for row in found)
    vectors = named(report, "elements by ")
    assert len(vectors) == 3
    assert said(report).startswith(f"{rule} in 10 of 11 matrices (cosine ")


@pytest.mark.parametrize("stored", STORED)
def test_a_grown_model_has_the_slice_of_the_smaller_one(stored) -> None:
    """A may be the smaller side; factors of noisy matrices are one range in the sentence."""
    a = STORED[stored](planted.cut(A, WIDTHS, planted.linspace, planted.linspace))
    report = searched(a, A)
    assert len(named(report, "rows and columns by linspace 3/4")) == 10
    assert "other slices" not in said(report)
    assert said(report).count("rows and columns by linspace 3/4") == 1


def test_a_factor_is_part_of_the_rule() -> None:
    """Subcloning multiplies by a square root."""
    report = searched(A, planted.cut(A, WIDTHS, planted.linspace, planted.linspace, 1.2247))
    assert len(named(report, "linspace 3/4, times 1.225")) == 11
    assert "rows and columns by linspace 3/4, times 1.225 in 10 of 11" in said(report)


@pytest.mark.parametrize("stored", STORED)
def test_zeros_beside_a_slice_are_a_corner(stored) -> None:
    """Padding is told from growth by the zeros."""
    report = searched(A, STORED[stored](planted.padded(A, {48: 60, 72: 90})))
    assert [row["rule"] for row in report.rows].count("corner") == 11
    assert said(report).startswith("corner in 11 of 11 matrices")


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize(
    ("order", "text"), [([0, 1, 4, 5], "0-1,4-5"), ([0, 1, 2, 3, 2, 3, 4, 5], "0-3,2-5")]
)
def test_layers_are_removed_and_repeated(order, text, stored) -> None:
    """The map of the layers is the rule of each matrix in them."""
    report = searched(DEEP, STORED[stored](planted.rearranged(DEEP, order)))
    assert len(named(report, f"layers {text}")) == 6 * len(order)
    assert said(report).startswith(f"{len(order)} of {len(order)} layers are layers {text} of A")


@pytest.mark.parametrize("stored", STORED)
def test_permuted_neurons_are_found_on_request(stored) -> None:
    """All three matrices of a feed-forward layer are in the order of A's neurons."""
    report = searched(A, STORED[stored](planted.permuted(A)), lineage=True)
    found = named(report, "permuted")
    assert len(found) == 6
    assert all(row["matched_cosine"] >= 1.2 * row["matched_cosine_null"] for row in found)
    assert "2 of 2 feed-forward layers permuted" in said(report)


def test_permuted_neurons_of_moved_layers_have_both_rules() -> None:
    """Layers were removed, and the neurons of those that stayed were permuted."""
    deep = planted.model(layers=4, width=32)
    b = planted.permuted(planted.rearranged(deep, [0, 1, 3]))
    report = searched(deep, b, lineage=True)
    assert len(named(report, "layers 0-1,3; permuted")) == 9
    assert "3 of 3 layers are layers 0-1,3 of A" in said(report)
    assert "3 of 3 feed-forward layers permuted" in said(report)


@pytest.mark.parametrize("granularity", [1, 2])
@pytest.mark.parametrize("stored", STORED)
def test_experts_of_dense_layers_are_found(granularity, stored) -> None:
    """Copies and shards; noise that exchanges some neurons is no permutation of them."""
    report = searched(A, STORED[stored](planted.experts(A, 4, granularity)))
    assert len(named(report, "expert copied" if granularity == 1 else "expert shard")) == 24
    assert not named(report, "permuted")
    what = "copies of the dense layers of A" if granularity == 1 else "modulo 2"
    assert what in said(report)


@pytest.mark.parametrize("stored", ["clean", "bf16"])
@pytest.mark.parametrize("rank", [0, 3])
def test_shared_blocks_are_tied(rank, stored) -> None:
    """A later layer of B is an earlier one, or that plus a rest of low rank."""
    report = searched(OTHER, STORED[stored](planted.shared(DEEP, 2, rank)), lineage=True)
    text = "tied to layer 0 but for rank 3" if rank else "tied to layer 0"
    assert len([row for row in report.rows if row["rule"] == text]) == 10
    assert "layers 2-5 of B are tied to earlier ones in 5 roles" in said(report)


@pytest.mark.parametrize("stored", ["clean", "bf16"])
def test_rotated_matrices_have_equal_singular_values(stored) -> None:
    """No element is alike, and all singular values are."""
    report = searched(A, STORED[stored](planted.rotated(A)), lineage=True)
    assert len(named(report, "rotated")) == 10


@pytest.mark.parametrize("stored", STORED)
def test_added_input_channels_are_found(stored) -> None:
    """A first convolution of four channels has the three of A first."""
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(32, 3, 5, 5, generator=generator)
    added = torch.randn(32, 1, 5, 5, generator=generator)
    b = STORED[stored]({"conv1.weight": torch.cat([first, added], 1)})
    (row,) = searched({"conv1.weight": first}, b).rows
    assert row["rule"] == "channels 3/4"


@pytest.mark.parametrize(
    "shape",
    [{}, {"width": 32, "hidden": 54}, {"layers": 5}],
    ids=["same shapes", "other widths", "other layers"],
)
def test_unrelated_models_have_no_rule(shape) -> None:
    """No matrix has a rule or a matched cosine of a slice, and the sentence says what was tried."""
    report = searched(A, planted.model(1, **shape), lineage=True)
    matrices = [row for row in report.rows if row["kind"] != "norm"]
    assert not any(row["rule"] for row in matrices)
    assert said(report).startswith("no rule found: tried layers, stride, linspace, first")


def test_a_rule_is_confirmed_where_it_is_the_only_column() -> None:
    """The cosine behind a rule is measured whatever columns are shown."""
    unrelated = planted.model(1, tokens=44)
    report = compare(A, unrelated, columns=("tensor", "rule"))
    assert not any(row["rule"] for row in report.rows)
