"""Cross: products of columns of A and B against numpy's, over tiles, types and layouts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.sketches.paired import HELD, LAYOUTS, made, turned
from weightscope.checkpoints import Stored, views
from weightscope.engine import Executor, Unit, choose
from weightscope.sketches import Cross, CrossProducts, cross

ROOM = 1 << 28


def expected(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A^T B of float64 values, zeros for what is not finite."""
    zeros = {"nan": 0.0, "posinf": 0.0, "neginf": 0.0}
    product: np.ndarray = np.nan_to_num(a, **zeros).T @ np.nan_to_num(b, **zeros)
    return product


def cosines(record: CrossProducts) -> np.ndarray:
    """Products over the lengths of both columns."""
    lengths: np.ndarray = np.sqrt(np.outer(record.squares_a, record.squares_b))
    return record.products / lengths


@pytest.mark.parametrize("shape", [(40, 90), (90, 40), (1, 7), (7, 1)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_equals_numpy(lab, shape, layout) -> None:
    """Wide, tall and thin matrices, row-major and column-major, in one chunk or several."""
    pair = turned(made(lab, "F32", "BF16", shape, 3, "normal"), *layout)
    a, of_a, b, of_b = pair
    (record,) = lab.take_pair(Cross(), pair)
    x, y = lab.values(of_a, a)[0], lab.values(of_b, b)[0]
    np.testing.assert_allclose(record.squares_a, (x * x).sum(0), rtol=1e-12)
    np.testing.assert_allclose(record.squares_b, (y * y).sum(0), rtol=1e-12)
    np.testing.assert_allclose(record.products, expected(x, y), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("of_a", HELD)
def test_every_type_has_products(lab, of_a) -> None:
    """Floats, codes and integers, with any bit patterns: what is not finite counts as 0."""
    for of_b in ("F32", "F8_E4M3", "I32"):
        pair = made(lab, of_a, of_b, (6, 7), 3, "alike")
        (record,) = lab.take_pair(Cross(), pair)
        x, y = lab.values(of_a, pair[0])[0], lab.values(of_b, pair[2])[0]
        np.testing.assert_allclose(record.products, expected(x, y), rtol=1e-5)
        assert record.left_out == (~np.isfinite(x)).sum() + (~np.isfinite(y)).sum()


def test_tiles_of_rows_add_in_any_grouping(lab) -> None:
    """Rows folded apart and merged give the whole to the rounding of float32."""
    pair = made(lab, "F32", "F32", (50, 30), 1, "normal")
    (together,) = lab.take_pair(Cross(), pair)
    boxes = lab.boxes((50, 30), 0, [7, 7, 31])
    states = [lab.add_pair(Cross(), lab.start_pair(Cross(), pair), pair, box) for box in boxes]
    left = Cross().merge(Cross().merge(states[0], states[1]), Cross().merge(states[2], states[3]))
    (merged,) = Cross().finish(left)
    np.testing.assert_allclose(merged.products, together.products, atol=1e-4)
    np.testing.assert_allclose(merged.squares_a, together.squares_a, rtol=1e-12)
    assert merged.rows == together.rows == 50


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_stack_equals_each_alone(lab, layout) -> None:
    """Bit for bit, in every layout."""
    a, of_a, b, of_b = turned(made(lab, "F16", "F32", (23, 17), 2, "alike", 3), *layout)
    together = lab.take_pair(Cross(), (a, of_a, b, of_b))
    for i, record in enumerate(together):
        alone = turned((a[i : i + 1].clone(), of_a, b[i : i + 1].clone(), of_b), *layout)
        assert lab.plain(record) == lab.plain(lab.take_pair(Cross(), alone)[0])


def test_chunks_change_nothing_but_rounding(lab, monkeypatch) -> None:
    """The height of a chunk is no part of the answer."""
    pair = made(lab, "F32", "F32", (200, 12), 4, "alike")
    (one,) = lab.take_pair(Cross(), pair)
    monkeypatch.setattr(cross, "CHUNK", 1)
    (many,) = lab.take_pair(Cross(), pair)
    np.testing.assert_allclose(many.products, one.products, atol=1e-4)
    assert many.left_out == one.left_out > 0


def test_long_columns_keep_six_digits(lab) -> None:
    """Cosines of 4,096 elements in float32 differ from those in float64 by less than 1e-6."""
    a, b = np.random.default_rng(5).standard_normal((2, 1, 4096, 64))
    pair = (torch.from_numpy(a).float(), "F32", torch.from_numpy(b).float(), "F32")
    (record,) = lab.take_pair(Cross(), pair)
    x, y = pair[0][0].double().numpy(), pair[2][0].double().numpy()
    exact = expected(x, y) / np.sqrt(np.outer((x * x).sum(0), (y * y).sum(0)))
    assert np.abs(cosines(record) - exact).max() < 1e-6


def test_the_engine_takes_it_of_transposed_entries() -> None:
    """Up matrices enter transposed, so that their rows are compared."""
    rng = np.random.default_rng(6)
    stored = {name: torch.from_numpy(rng.standard_normal((9, 5))) for name in ("a", "b")}
    entries = {}
    for name, x in stored.items():
        entry = Stored(name, tuple(x.shape), "F64", strides=x.stride(), tensor=x)
        entries[name] = views.Transpose(entry)
    unit = Unit(None, entries, {"b": frozenset({Cross()})}, {"b": ("a",)})
    (measured,) = Executor(choose("cpu", ROOM, 1))([unit], lambda measured: {})
    record = measured.sketches["b"][Cross()]
    np.testing.assert_allclose(record.products, (stored["a"] @ stored["b"].T).numpy(), atol=1e-5)


def test_an_empty_matrix_has_zero_products(lab) -> None:
    """No rows give zeros, no columns an empty matrix."""
    for shape in ((0, 3), (3, 0)):
        pair = made(lab, "F32", "F32", shape, 0, "zero")
        (record,) = lab.take_pair(Cross(), pair)
        assert record.products.shape == (shape[1], shape[1])
        assert not record.products.any()


def test_bytes_hold_the_state(lab) -> None:
    """The state is the products and squares; the chunks are float32."""
    pair = made(lab, "F32", "F32", (20, 40), 0, "normal")
    state = lab.add_pair(
        Cross(), lab.start_pair(Cross(), pair), pair, lab.boxes((20, 40), 0, [])[0]
    )
    assert lab.held(state) <= Cross().bytes((20, 40))
    assert Cross().bytes((4096, 11008)) < 4 * 11008**2 + (1 << 25)


def test_records_of_matrices_do_not_add(lab) -> None:
    """Columns belong to one matrix."""
    pair = made(lab, "F32", "F32", (2, 3), 0, "normal")
    (record,) = lab.take_pair(Cross(), pair)
    assert record.forget() is None
    with pytest.raises(TypeError, match="do not add"):
        record + record
