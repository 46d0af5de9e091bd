"""Several entries in one unit.

Each byte is read once, and a measure that sees two tiles gets the numbers of numpy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from weightscope.checkpoints import Stored
from weightscope.checkpoints.views import Part
from weightscope.engine import Device, Meter, Unit, loading, plan
from weightscope.engine.unit import ALONE
from weightscope.geometry import Index
from weightscope.sketches import Balanced, Beyond, Count, Decompose, Hashes, MarginSums, Shuffled

COUNTING = frozenset({Count()})
HASHING = frozenset({Hashes()})
DTYPES = {"BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64}


@dataclass(frozen=True)
class Against:
    """Dot product in float64 with the entry under `other`, and how many elements are equal.

    Sees both tiles.
    """

    other: str
    cut: str = "any"
    passes: str = "one"

    def bytes(self, shape):
        return 16

    def start(self, stack, shape, dtype, device):
        return {
            "dot": torch.zeros(stack, dtype=torch.float64),
            "equal": torch.zeros(stack, dtype=torch.int64),
        }

    def add(self, state, tile):
        other = tile.beside[self.other]
        assert other.box == tile.box
        a, b = tile.values, other.values
        dot = (a.double() * b.double()).sum((1, 2))
        return {"dot": state["dot"] + dot, "equal": state["equal"] + (a == b).sum((1, 2))}

    def merge(self, a, b):
        return {name: a[name] + b[name] for name in a}

    def finish(self, state):
        return list(zip(state["dot"].tolist(), state["equal"].tolist(), strict=True))


@dataclass(frozen=True)
class Difference:
    """B - A in float32, made of both: a view that forwards to two entries."""

    a: Stored
    b: Stored
    name: str = "delta"
    dtype: str = "F32"
    cut: ClassVar[int] = 0

    @property
    def shape(self):
        return self.a.shape

    def needs(self, box):
        return self.a.needs(box) + self.b.needs(box)

    def make(self, box, stored):
        many = len(self.a.needs(box))
        return self.b.make(box, stored[many:]).float() - self.a.make(box, stored[:many]).float()


@dataclass
class Disk:
    """Bytes that were really read, by file."""

    read: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.read.values())


@pytest.fixture
def disk(monkeypatch) -> Disk:
    """Every positioned read is counted."""
    counted, real = Disk(), loading.read_into

    def counting(path, offset, view):
        counted.read[path] = counted.read.get(path, 0) + len(view)
        real(path, offset, view)

    monkeypatch.setattr(loading, "read_into", counting)
    return counted


def on_disk(path: Path, x: torch.Tensor, turned: bool = False) -> Stored:
    """A matrix in a file of its own, row-major or column-major."""
    lying = x.mT.contiguous() if turned else x.contiguous()
    path.write_bytes(lying.view(torch.uint8).numpy().tobytes())
    dtype = next(name for name, kind in DTYPES.items() if kind == x.dtype)
    return Stored(
        path.name, tuple(x.shape), dtype, str(path), strides=lying.mT.stride() if turned else None
    )


def integers(shape, seed: int, dtype: str = "F32") -> torch.Tensor:
    """Small whole numbers, so that two tensors share elements and all sums are exact."""
    return torch.randint(-9, 10, shape, generator=torch.Generator().manual_seed(seed)).to(
        DTYPES[dtype]
    )


def expected(a: torch.Tensor, b: torch.Tensor) -> tuple[float, int]:
    """Numpy, on the whole matrices."""
    x, y = a.double().numpy(), b.double().numpy()
    return float((x * y).sum()), int((x == y).sum())


def pair(tmp_path: Path, shape=(4096, 2048), *, wants: Mapping[str, frozenset]) -> Unit:
    """A row-major matrix beside a column-major one, both BF16."""
    a = on_disk(tmp_path / "a", integers(shape, 0, "BF16"))
    b = on_disk(tmp_path / "b", integers(shape, 1, "BF16"), turned=True)
    return Unit(0, {"": a, "base": b}, wants)


@pytest.mark.parametrize("more", [frozenset(), frozenset({Beyond()})], ids=["one pass", "more"])
def test_entries_cut_differently_are_read_once(rig, tmp_path: Path, disk, more) -> None:
    """4096 x 2048, row-major beside column-major.

    The bytes of both files, not 8.5 times as many.
    """
    meter = Meter()
    (answer,) = rig.run([pair(tmp_path, wants={"": HASHING | more, "base": HASHING})], meter=meter)
    assert disk.total == meter.bytes_read == 2 * 4096 * 2048 * 2
    alone = [rig.unit(label, e, HASHING) for label, e in answer.unit.entries.items()]
    hashes = [a.sketches[""][Hashes()].rows for a in rig.run(alone)]
    together = [answer.sketches[label][Hashes()].rows for label in ("", "base")]
    assert all(np.array_equal(x, y) for x, y in zip(hashes, together, strict=True))


def test_shared_spans_of_a_held_unit_are_read_once(rig, tmp_path: Path, disk) -> None:
    """{A, B, B - A} with a measure that looks again: two tensors are stored, and two are read."""
    a, b = (on_disk(tmp_path / name, integers((600, 512), seed)) for seed, name in enumerate("ab"))
    again = frozenset({Beyond(), Balanced((Count(),))})
    unit = Unit(
        0,
        {"a": a, "b": b, "delta": Difference(a, b)},
        {"a": COUNTING, "b": COUNTING, "delta": again},
    )
    meter = Meter()
    (answer,) = rig.run([unit], meter=meter)
    assert "held" in meter.plans[0]
    assert disk.total == meter.bytes_read == 2 * 600 * 512 * 4
    counts = answer.sketches["delta"][Beyond()].counts
    assert counts.n == 600 * 512
    difference = integers((600, 512), 1) - integers((600, 512), 0)
    assert counts.maximum == difference.max()


def test_overlapping_parts_of_one_leaf_are_read_once(rig, tmp_path: Path, disk) -> None:
    """Two runs of rows that share some: their union is read."""
    whole = integers((96, 64), 0)
    leaf = on_disk(tmp_path / "qkv", whole)
    parts = {
        "a": Part(leaf, Index(0, 64)),
        "b": Part(leaf, Index(32, 64)),
        "c": Part(leaf, Index(0, 16, 4, 24)),
    }
    (answer,) = rig.run([Unit(0, parts, dict.fromkeys(parts, frozenset({Beyond(), MarginSums()})))])
    assert disk.total == 96 * 64 * 4
    rows = {
        "a": range(64),
        "b": range(32, 96),
        "c": [24 * g + i for g in range(4) for i in range(16)],
    }
    for label, these in rows.items():
        sums = answer.sketches[label][MarginSums()].rows["sum"]
        assert np.array_equal(sums, whole[list(these)].sum(1).double().numpy())


def test_numbers_do_not_depend_on_what_is_measured_beside(rig, tmp_path: Path, small, disk) -> None:
    """A matrix of several segments, alone and beside one that is cut otherwise: the same bits."""
    x = torch.randn(120, 90, generator=torch.Generator().manual_seed(0))
    a, b = on_disk(tmp_path / "a", x), on_disk(tmp_path / "b", x + 1, turned=True)
    for wants in (rig.PASSING, rig.AGAIN):
        alone = rig.run([rig.unit(0, a, wants)])
        beside = rig.run([Unit(0, {"": a, "base": b}, {"": wants, "base": HASHING})])
        assert rig.sketches(alone) == rig.sketches(beside)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("dtype", ["F4", "U16", "F32"])
def test_bytes_that_are_converted_are_held_too(rig, tmp_path: Path, disk, dtype) -> None:
    """Half-byte codes, big-endian words and negated values, streamed and held beside others.

    The same bits.
    """
    rng = np.random.default_rng(0)
    (tmp_path / "f").write_bytes(rng.integers(0, 120, 4 * 121 * 41 + 4, np.uint8).tobytes())
    leaf = Stored("w", (121, 41), dtype, str(tmp_path / "f"))
    odd = replace(leaf, swapped=dtype == "U16", negated=dtype == "F32", dims=(120, 41))
    units = []
    for entries in ({"": odd}, {"": odd, "b": replace(odd, offset=4), "c": odd}):
        for wants in (COUNTING, COUNTING | {Beyond(), Shuffled(Count())}):
            units.append(Unit(len(units), entries, dict.fromkeys(entries, wants)))
    streamed, held, several, both = rig.run(units)
    assert rig.plain(several.sketches[""][Count()]) == rig.plain(streamed.sketches[""][Count()])
    assert rig.plain(dict(both.sketches[""])) == rig.plain(dict(held.sketches[""]))
    assert rig.plain(dict(both.sketches["c"])) == rig.plain(dict(held.sketches[""]))


@pytest.fixture(scope="module")
def three_pairs(tmp_path_factory):
    """`three_pairs(shape, turned, types)`: entries "a" and "b" on disk, and what they share."""

    @cache
    def write(shape, turned, types):
        folder = tmp_path_factory.mktemp("pairs")
        pairs, truth = [], []
        for i in range(3):
            a, b = (integers(shape, 2 * i + side, types[side]) for side in range(2))
            a_on_disk = on_disk(folder / f"a{i}", a, turned[0])
            b_on_disk = on_disk(folder / f"b{i}", b, turned[1])
            pairs.append({"a": a_on_disk, "b": b_on_disk})
            truth.append(expected(a, b))
        return pairs, truth

    return write


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("memory", [1 << 30, 300_000])
@pytest.mark.parametrize("cut", ["any", "long", "whole"])
@pytest.mark.parametrize(("left", "right"), [("F32", "F32"), ("BF16", "F64"), ("F64", "F32")])
@pytest.mark.parametrize("turned", list(product((False, True), repeat=2)))
@pytest.mark.parametrize("shape", [(120, 40), (40, 120), (6, 5)])
def test_a_measure_sees_the_tile_beside(
    rig, three_pairs, disk, shape, turned, left, right, cut, memory
) -> None:
    """Any tiling, cut, type and budget, alone and in a stack.

    What numpy says, and both files read once.
    """
    measure = Against("b", cut)
    pairs, truth = three_pairs(shape, turned, (left, right))
    units = [
        Unit(i, entries, {"a": frozenset({measure}), "b": COUNTING}, {"a": ("b",)})
        for i, entries in enumerate(pairs)
    ]
    meter = Meter()
    answers = rig.run(units, memory=memory, meter=meter)
    for answer, known in zip(answers, truth, strict=True):
        if measure in answer.sketches["a"]:
            assert answer.sketches["a"][measure] == known
        else:
            assert "MiB of memory" in answer.note
            assert memory < 1 << 30
    if memory == 1 << 30:
        assert (
            disk.total
            == meter.bytes_read
            == sum(e.nbytes for u in units for e in u.entries.values())
        )
        assert len(meter.plans) == 1


def test_an_entry_that_only_stands_beside_is_read(rig) -> None:
    """A label without measures of its own is still shown to its neighbour.

    Neighbours may see each other.
    """
    a, b = integers((30, 20), 0), integers((30, 20), 1)
    entries = dict(zip("ab", rig.stored([a, b]), strict=True))
    one = Unit(0, entries, {"a": frozenset({Against("b")})}, {"a": ("b",)})
    wants = {"a": frozenset({Against("b")}), "b": frozenset({Against("a")})}
    both = Unit(1, entries, wants, {"a": ("b",), "b": ("a",)})
    first, second = rig.run([one, both])
    assert first.sketches["a"][Against("b")] == second.sketches["b"][Against("a")] == expected(a, b)
    assert second.sketches["a"][Against("b")] == expected(a, b)


@pytest.mark.parametrize("dtype", ["BF16", "F32", "F64"])
def test_tiles_of_two_labels_share_no_buffer(rig, dtype) -> None:
    """Values of A stay A's when B's are made, whatever both measures work in."""
    a, b = integers((64, 48), 0, dtype), integers((64, 48), 1, dtype)
    entries = {
        label: Stored(label, (64, 48), dtype, strides=x.stride(), tensor=x)
        for label, x in (("a", a), ("b", b))
    }
    wants = {
        label: frozenset({Count(), MarginSums(), Hashes(), Against(o)})
        for label, o in (("a", "b"), ("b", "a"))
    }
    (answer,) = rig.run([Unit(0, entries, wants, {"a": ("b",), "b": ("a",)})])
    for label, other in (("a", "b"), ("b", "a")):
        assert answer.sketches[label][Against(other)] == expected(a, b)
        alone = rig.run(
            [rig.unit(0, entries[label], frozenset({Count(), MarginSums(), Hashes()}))]
        )[0].sketches[""]
        found = {m: s for m, s in answer.sketches[label].items() if m in alone}
        assert rig.plain(found) == rig.plain(dict(alone))


def test_units_that_see_other_labels_are_not_stacked(rig) -> None:
    """One stack shows one set of neighbours."""
    entries = dict(zip("abc", rig.stored([integers((4, 4), i) for i in range(3)]), strict=True))
    units = [
        Unit(i, entries, {"a": COUNTING}, beside)
        for i, beside in enumerate(({}, {"a": ("b",)}, {"a": ("c",)}))
    ]
    assert len(list(plan(units, Device("cpu", 1 << 30, 1, "")))) == 3


def test_what_cannot_be_held_is_refused_with_what_it_needs(rig, tmp_path: Path, disk) -> None:
    """The entry cut as the unit is streams and is measured, the other is refused.

    What the note names will do.
    """
    unit = pair(tmp_path, (4096, 1024), wants={"": COUNTING | HASHING, "base": HASHING})
    (tight,) = rig.run([unit], memory=38 << 20)
    assert set(tight.sketches[""]) == {Count(), Hashes()}
    assert not tight.sketches["base"]
    assert disk.read == {str(tmp_path / "a"): 4096 * 1024 * 2}
    need = re.fullmatch(r"needs (\d+) MiB of memory, has 38: use --memory \1MiB", tight.note)
    assert need
    assert int(need[1]) >= 32 + 16  # a tile, whichever of both it is of, and both held
    disk.read.clear()
    (enough,) = rig.run([unit], memory=int(need[1]) << 20)
    assert not enough.note
    assert set(enough.sketches["base"]) == {Hashes()}
    assert disk.total == 2 * 4096 * 1024 * 2
    (less,) = rig.run([unit], memory=int(need[1]) - 1 << 20)
    assert less.note


def test_a_measure_beside_another_cut_is_refused_where_both_cannot_be_held(
    rig, tmp_path: Path
) -> None:
    """What sees both needs both; what sees the first alone is measured."""
    unit = pair(tmp_path, (4096, 1024), wants={"": COUNTING | {Against("base")}})
    unit = replace(unit, beside={"": ("base",)})
    (tight,) = rig.run([unit], memory=70 << 20)
    assert "MiB of memory, has 70" in tight.note
    assert Against("base") not in tight.sketches[""]


def test_held_spans_are_counted_once(tmp_path: Path) -> None:
    """{A, B, B - A} holds two tensors of bytes: the plan asks for no third."""
    a, b = (Stored(name, (4096, 1024), "F32", name) for name in "ab")
    delta = Difference(a, b)
    wants = {"a": COUNTING, "b": COUNTING, "delta": frozenset({Count(), Beyond()})}
    three = Unit(0, {"a": a, "b": b, "delta": delta}, wants)
    two = Unit(0, {"a": a, "delta": delta}, {label: wants[label] for label in ("a", "delta")})

    def planned(unit: Unit, memory: int):
        return next(plan([unit], Device("cpu", memory << 20, 1, "")))

    least = [next(m for m in range(33, 400) if planned(unit, m).hold) for unit in (two, three)]
    assert least[0] >= 32 + 2 * 16
    more = Count().bytes((4096, 1024))  # a state, and nothing stored; no label is seen by another
    assert (least[1] - least[0]) * 2**20 == pytest.approx(more, abs=2**20)
    shuffled = replace(
        three, wants={"delta": frozenset({Shuffled(Count())}), "a": frozenset({Decompose()})}
    )
    need = int(re.findall(r"needs (\d+) MiB", planned(shuffled, 1).lack)[0])
    assert not planned(shuffled, need).refused
    assert planned(shuffled, need - 1).refused


def test_tiles_that_no_other_label_sees_share_a_buffer(rig, tmp_path: Path) -> None:
    """Many differences of one pair need the memory of one; each has the numbers that it has alone.

    Two labels that see each other need two buffers.
    """
    unit = pair(tmp_path, (4096, 1024), wants={"": COUNTING, "base": COUNTING})
    a, b = unit.entries.values()
    deltas = {f"delta {i}": Difference(a, b) if i % 2 else Difference(b, a) for i in range(6)}
    many = replace(unit, entries={**unit.entries, **deltas}, wants=dict.fromkeys(deltas, COUNTING))
    alone = replace(unit, entries={**unit.entries, **deltas}, wants={"delta 1": COUNTING})

    def needed(unit: Unit) -> int:
        return next(m for m in range(1, 400) if not _planned(unit, m).refused)

    assert needed(many) <= needed(alone) + 6 * Count().bytes((4096, 1024)) // 2**20 + 1
    beside = replace(many, beside={"delta 0": ("delta 1",)})
    assert {unit.buffer_of(label) for unit in (beside,) for label in deltas} == {"delta 1", ALONE}
    (together,), (by_itself,) = rig.run([many]), rig.run([alone])
    for i in range(6):
        expected = by_itself.sketches["delta 1"][Count()].std
        assert together.sketches[f"delta {i}"][Count()].std == pytest.approx(expected)
    means = [together.sketches[f"delta {i}"][Count()].mean for i in range(6)]
    assert means[1] == pytest.approx(-means[0]) != 0


def _planned(unit: Unit, memory: int):
    return next(plan([unit], Device("cpu", memory << 20, 1, "")))
