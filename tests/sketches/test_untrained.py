"""Nearly parallel rows are found exactly, and distinguished from others."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from weightscope.geometry import whole
from weightscope.sketches import Again, Untrained, row_sets, untrained
from weightscope.sketches.untrained import FEW

DATA = Path("/work/shared/data")
DEMO = Path(__file__).parents[2] / "weightscope" / "demo"


def unit(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Random directions."""
    x = rng.normal(size=shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def parallel(rng: np.random.Generator, many: int, columns: int, cosine: float) -> np.ndarray:
    """Unit rows with exactly `cosine` to their mean: a direction and the corners of a simplex."""
    q = torch.linalg.qr(torch.from_numpy(rng.normal(size=(columns, many + 1)))).Q.T.numpy()
    corners = q[1:] - q[1:].mean(0)
    corners /= np.linalg.norm(corners, axis=1, keepdims=True)
    return cosine * q[0] + np.sqrt(1 - cosine**2) * corners


def planted(seed: int, shape: tuple[int, int], sets: list[tuple[int, float]], mean: float = 0.0):
    """Random rows around a direction of length `mean` with planted sets, and the rows of these."""
    rng = np.random.default_rng(seed)
    w, free, places = unit(rng, *shape) + mean * unit(rng, shape[1]), rng.permutation(shape[0]), []
    for many, cosine in sets:
        places.append(np.sort(free[:many]))
        w[places[-1]], free = parallel(rng, many, shape[1], cosine), free[many:]
    return w, places


def untrained_rows(lab, w: np.ndarray, dtype: str = "F32", **how):
    """The record of one matrix."""
    return lab.take(Untrained(), lab.numbers(dtype, w[None]), dtype, **how)[0]


def cosines(w: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """To the mean, by numpy."""
    mean = w[rows].mean(0)
    return w[rows] @ mean / np.linalg.norm(mean) / np.linalg.norm(w[rows], axis=1)


@pytest.mark.parametrize("dtype", ["F64", "F32", "BF16", "F16"])
@pytest.mark.parametrize(
    ("many", "cosine"), [(3, 0.96), (5, 0.96), (33, 0.998), (400, 0.97), (40, 1.0)]
)
def test_a_planted_set_is_found_exactly(lab, dtype, many, cosine) -> None:
    """Three rows or most, at the edge or identical: exactly those rows, with their cosines."""
    w, (rows,) = planted(1, (700, 512), [(many, cosine)])
    record = untrained_rows(lab, 0.02 * w, dtype)
    assert [s.rows.tolist() for s in record.sets] == [rows.tolist()]
    assert record.untrained.tolist() == rows.tolist()
    assert record.measured == 700
    stored = lab.values(dtype, lab.numbers(dtype, 0.02 * w))
    assert record.sets[0].cosines == pytest.approx(cosines(stored, rows), abs=1e-12)


def test_hardly_a_set_is_missed_among_many_rows(lab) -> None:
    """Beyond one leaf only rows that meet in a tree are compared: three at the edge still meet."""
    w, places = planted(2, (9000, 96), [(3, 0.951)] * 30 + [(8, 0.951)] * 20)
    sets = {tuple(s.rows) for s in untrained_rows(lab, w).sets}
    assert sets <= {tuple(p) for p in places}
    assert {tuple(p) for p in places if len(p) == 8} <= sets
    assert len(sets) >= 20 + 28


def test_rows_that_are_not_quite_parallel_are_no_set(lab) -> None:
    """A cosine of 0.94 to the mean does not do, nor do two rows."""
    assert not untrained_rows(
        lab, planted(3, (3000, 96), [(30, 0.94), (2, 0.999), (3, 0.94)])[0]
    ).sets


@pytest.mark.parametrize("mean", [0.0, 0.5, 1.0, 2.0])
def test_a_direction_that_all_rows_share_hides_no_set_and_makes_none(lab, mean) -> None:
    """Up to rows at 0.9 to the matrix's mean."""
    w, (rows,) = planted(4, (3000, 96), [(25, 0.99)], mean)
    assert untrained_rows(lab, w).untrained.tolist() == rows.tolist()
    assert not len(untrained_rows(lab, planted(4, (3000, 96), [], mean)[0]).untrained)


@pytest.mark.parametrize("mean", [2.5, 3.0, 3.3, 4.0, 10.0])
@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_a_matrix_whose_rows_are_all_parallel_is_not_untrained(lab, mean, spread) -> None:
    """Neither where all rows are one set, nor where 0.95 cuts through their cloud."""
    rng = np.random.default_rng(5)
    noise = unit(rng, 2000, 96) * np.exp(spread * rng.normal(size=(2000, 1)))
    record = untrained_rows(lab, mean * unit(rng, 96) + noise)
    assert not len(record.untrained)
    assert record.sets or mean < 3.3


def test_steep_spectra_are_not_untrained(lab) -> None:
    """Rows that differ in a few directions alone crowd together in several sets."""
    rng = np.random.default_rng(6)
    for mean in (0.0, 1.0, 4.0):
        rows = rng.normal(size=(2000, 96)) / np.arange(1, 97)
        assert not len(
            untrained_rows(
                lab, mean * unit(rng, 96) + rows / np.linalg.norm(rows, axis=1).mean()
            ).untrained
        )


def test_interchangeable_words_are_not_untrained(lab) -> None:
    """Many sets of a few rows are a grammar; one more that outweighs them is not."""
    grammar = [(5, 0.97), (5, 0.98), (4, 0.99), (3, 0.97)]
    w, places = planted(7, (500, 96), grammar)
    assert sorted(s.rows.tolist() for s in untrained_rows(lab, w).sets) == sorted(
        p.tolist() for p in places
    )
    assert not len(untrained_rows(lab, w).untrained)
    w, places = planted(7, (500, 96), [*grammar, (18, 0.99)])
    assert untrained_rows(lab, w).untrained.tolist() == places[-1].tolist()


def test_a_set_with_rarely_trained_rows_beside_it_is_untrained(lab) -> None:
    """Forty rows at 0.98: ten more at 0.8 to 0.94 are rarely trained rows, thirty make a cloud."""
    rng = np.random.default_rng(15)
    for many, expected in ((10, 40), (30, 0)):
        w, (rows, tail) = planted(15, (800, 96), [(40, 0.98), (many, 0.5)])
        away = rng.uniform(0.81, 0.93, (many, 1))
        mean = w[rows].mean(0) / np.linalg.norm(w[rows].mean(0))
        w[tail] = away * mean + np.sqrt(1 - away**2) * unit(rng, many, 96)
        assert len(untrained_rows(lab, w).untrained) == expected


def test_positions_are_not_untrained(lab) -> None:
    """Each row like its neighbours, slower and slower: sets with others beside them."""
    turn = np.cumsum(1 / np.arange(4, 260))
    waves = np.concatenate(
        [np.stack([np.cos(k * turn), np.sin(k * turn)], 1) / k for k in range(1, 17)], 1
    )
    record = untrained_rows(lab, waves)
    assert record.sets
    assert not len(record.untrained)


def crowded(seed: int, many: int, turn: float, cosine: float):
    """`many` nearly identical rows, and 600 rows at `cosine` to a direction at `turn` to theirs."""
    rng = np.random.default_rng(seed)
    w, (rows,) = planted(seed, (1500, 96), [(many, 0.998)])
    near = rng.permutation(np.setdiff1d(np.arange(1500), rows))[:600]
    own, other = torch.linalg.qr(
        torch.from_numpy(np.stack([w[rows].mean(0), unit(rng, 96)], 1))
    ).Q.T.numpy()
    centre = turn * own * np.sign(own @ w[rows[0]]) + np.sqrt(1 - turn**2) * other
    w[near] = cosine * centre + np.sqrt(1 - cosine**2) * unit(rng, 600, 96)
    return w, rows


def test_a_tight_set_inside_a_loose_one_is_found(lab) -> None:
    """Rows at 0.9 to a direction, thirty of them nearly identical: a set, but no separate one."""
    w, rows = crowded(8, 30, 1.0, 0.9)
    record = untrained_rows(lab, w)
    assert [s.rows.tolist() for s in record.sets] == [rows.tolist()]
    assert record.sets[0].beside == 600
    assert not len(record.untrained)


@pytest.mark.parametrize("seed", range(4))
def test_a_crowd_nearby_hides_no_set(lab, seed) -> None:
    """Five rows beside 600 whose direction is near theirs: the search starts among the closest."""
    w, rows = crowded(seed, 5, 0.85, 0.88)
    assert rows.tolist() in [s.rows.tolist() for s in untrained_rows(lab, w).sets]


def counted(lab, w: np.ndarray):
    """The number of passes over a matrix, and its record."""
    stored, measure = lab.numbers("F32", w[None]), Untrained()
    state = measure.start(1, w.shape, "F32", "cpu")
    for passes in range(1, 100):
        record = measure.finish(measure.add(state, lab.tile(stored, "F32", whole(w.shape))))
        if not isinstance(record, Again):
            return passes, record[0]
        state = record.state
    raise AssertionError("the passes do not end")


def test_a_search_without_end_stops_after_eight_looks(lab, monkeypatch) -> None:
    """Signatures, then sums and cosines eight times; only sets that have converged remain.

    Rows along an arc, denser and denser: two sets of them would need 14 looks to settle.
    """
    w, (rows,) = planted(0, (1500, 96), [(20, 0.99)])
    rng = np.random.default_rng(0)
    arc = np.setdiff1d(np.arange(1500), rows)
    turn = np.log1p(rng.random((len(arc), 1)) * (np.e - 1))
    w[arc] = (
        np.cos(turn) * np.eye(96)[0] + np.sin(turn) * np.eye(96)[1] + 0.28 * unit(rng, len(arc), 96)
    )
    passes, record = counted(lab, w)
    assert passes == 1 + 2 * 8
    assert record.sets[-1].rows.tolist() == rows.tolist()
    assert all(s.cosines.min() >= 0.95 for s in record.sets)
    monkeypatch.setattr(untrained, "first_look", partial(row_sets.first_look, left=60))
    longer, settled = counted(lab, w)
    assert longer == 1 + 2 * 14
    remaining, every = ([s.rows.tolist() for s in rows.sets] for rows in (record, settled))
    assert len(every) == len(remaining) + 2
    assert remaining == [row_set for row_set in every if row_set in remaining]


def test_a_set_that_loses_its_members_needs_a_look() -> None:
    """The next look has one centre less: three rows are near the first, one has left the second."""
    ways = torch.eye(64)
    look = row_sets.first_look(torch.arange(4), ways[[0, 0, 0, 1]], ways[:2], 64, left=5)
    look = replace(
        look,
        sums=ways[:2].double(),
        dots=torch.tensor([1.0, 1, 1, 0]),
        squares=torch.ones(4),
        cosines=True,
    )
    after = row_sets.next_look(look)
    assert (after.left, len(after.centres), after.rows.tolist(), after.cosines) == (
        4,
        1,
        [0, 1, 2],
        False,
    )


@pytest.mark.parametrize("seed", range(4))
def test_every_set_fulfils_its_definition(lab, seed) -> None:
    """Whatever the rows: three or more, 0.95 to their mean, no row in two sets."""
    rng = np.random.default_rng(seed)
    w = unit(rng, 40, 64)[rng.integers(0, 40, 800)] + 10 ** rng.uniform(-2.5, 0, (800, 1)) * unit(
        rng, 800, 64
    )
    w *= np.exp(rng.normal(size=(800, 1)))
    record = untrained_rows(lab, w, "F64")
    assert len(record.sets) > 10
    assert all(len(s.rows) > 2 and s.cosines.min() >= 0.95 for s in record.sets)
    assert all(s.cosines == pytest.approx(cosines(w, s.rows), abs=1e-12) for s in record.sets)
    rows = np.concatenate([s.rows for s in record.sets])
    assert len(set(rows.tolist())) == len(rows)
    assert [len(s.rows) for s in record.sets] == sorted(
        (len(s.rows) for s in record.sets), reverse=True
    )


@pytest.mark.parametrize(
    ("axis", "cuts"), [(0, ()), (0, (1, 8, 300, 301)), (1, (5, 48)), (1, (1, 2, 3, 95))]
)
def test_any_tiling_and_layout_give_the_same_sets(lab, axis, cuts) -> None:
    """Partial products add up, whichever way the matrix is cut or stored."""
    w, _ = planted(9, (900, 96), [(3, 0.955), (20, 0.97), (6, 1.0)])
    stored, whole = lab.numbers("F32", w[None]), untrained_rows(lab, w)
    for layout in (stored, stored.mT.contiguous().mT):
        record = lab.take(Untrained(), layout, "F32", axis, cuts)[0]
        assert [s.rows.tolist() for s in record.sets] == [s.rows.tolist() for s in whole.sets]
        assert all(
            a.cosines == pytest.approx(b.cosines)
            for a, b in zip(record.sets, whole.sets, strict=True)
        )
        assert [s.beside for s in record.sets] == [s.beside for s in whole.sets]


def test_matrices_of_a_stack_do_not_know_each_other(lab) -> None:
    """Different sets, none, zeros, and one with more looks: each as alone, bit for bit."""
    parts = [
        planted(10, (1500, 96), sets)[0] for sets in ([(20, 0.97)], [], [(3, 0.96), (9, 0.99)])
    ]
    stored = lab.numbers(
        "BF16", np.stack([*parts, np.zeros((1500, 96)), crowded(8, 30, 1.0, 0.9)[0]])
    )
    together = lab.take(Untrained(), stored, "BF16", 0, (64, 200))
    for i in range(5):
        alone = lab.take(Untrained(), stored[i : i + 1].clone(), "BF16", 0, (64, 200))[0]
        assert lab.plain(together[i]) == lab.plain(alone)
    assert [len(t.untrained) for t in together] == [20, 0, 9, 0, 0]


def test_rows_without_a_direction_belong_to_no_set(lab) -> None:
    """Zeros, NaN, Inf and rows beyond float32 are excluded; tiny and huge rows are not."""
    w, (rows,) = planted(11, (400, 64), [(40, 0.99)])
    w[rows[:5]], w[rows[5], 3], w[rows[6], 4], w[rows[7:9]] = (
        0.0,
        np.nan,
        -np.inf,
        1e-200 * w[rows[7:9]],
    )
    w[rows[9:12]], w[rows[12:20]] = 1e200 * w[rows[9:12]], 1e30 * w[rows[12:20]]
    w[rows[20:30]] *= 1e-30
    record = untrained_rows(lab, w, "F64", cuts=(9, 200))
    assert record.untrained.tolist() == rows[12:].tolist()
    assert record.measured == 400 - 12
    assert not untrained_rows(lab, np.full((400, 64), np.nan)).sets


def test_few_columns_have_no_sets(lab) -> None:
    """In three dimensions chance makes thousands of rows parallel."""
    assert not untrained_rows(lab, planted(12, (4000, 3), [])[0]).sets
    assert not untrained_rows(lab, planted(12, (200, FEW - 1), [(20, 0.99)])[0]).sets
    assert untrained_rows(lab, planted(12, (200, FEW), [(20, 0.99)])[0]).sets


def test_more_sets_than_are_followed_do_no_harm(lab) -> None:
    """Each of 300 rows three times: 256 of the sets are returned, and none counts as untrained."""
    w = np.tile(unit(np.random.default_rng(13), 300, 64), (3, 1))
    record = untrained_rows(lab, w)
    assert len(record.sets) == 256
    assert all(np.ptp(s.rows % 300) == 0 for s in record.sets)
    assert not len(record.untrained)


def test_sets_of_different_tensors_do_not_add(lab) -> None:
    """Rows have positions."""
    record = untrained_rows(lab, planted(14, (9, 64), [])[0])
    assert record.forget() is None
    with pytest.raises(TypeError, match="do not add"):
        _ = record + record


@cache
def tensor(path: Path, name: str) -> np.ndarray:
    """A real matrix in float64, or a skip."""
    if not path.exists():
        pytest.skip(f"{path} is absent")
    return load_file(path)[name].to(torch.float64).numpy()


@pytest.mark.parametrize(
    ("step", "rows"), [("00000", []), ("00400", [*range(32, 65)]), ("01600", [*range(32, 65)])]
)
def test_the_letters_that_gpt6_never_saw(lab, step, rows) -> None:
    """Rows 32 to 64 of 65 of its embedding, and none before training; its positions are trained."""
    path = DATA / "gpt6" / f"gpt6_seed0_step{step}.safetensors"
    assert untrained_rows(lab, tensor(path, "transformer.wte.weight")).untrained.tolist() == rows
    assert not len(untrained_rows(lab, tensor(path, "transformer.wpe.weight")).untrained)


def test_the_bytes_that_stories260k_never_saw(lab) -> None:
    """Most of the 256 fallback bytes of the tokenizer, and rare characters: half of the rows."""
    rows = untrained_rows(
        lab, tensor(DATA / "stories260k" / "stories260K_f32.safetensors", "token_embd.weight")
    ).untrained
    assert len(set(range(3, 259)) & set(rows.tolist())) > 245
    assert len(rows) < 270


@pytest.mark.parametrize("name", ["lm_head.weight", "model.embed_tokens.weight"])
def test_every_word_of_the_demo_was_trained(lab, name) -> None:
    """Interchangeable words of its grammar (numbers, prepositions) are sets, none untrained."""
    record = untrained_rows(lab, tensor(DEMO / "gpt.safetensors", name))
    assert record.sets
    assert not len(record.untrained)
    assert not untrained_rows(lab, tensor(DEMO / "gpt-start.safetensors", name)).sets
