"""One loop for every analysis: joined requests read a file once and take a measure once."""

from collections import Counter
from itertools import pairwise

import pytest
import torch
from safetensors.torch import save_file

from weightscope.analyses.fit.options import FitOptions
from weightscope.analyses.fit.request import FitRequest
from weightscope.analyses.joining import JoinedUnits
from weightscope.analyses.measuring import Joined, answers
from weightscope.analyses.name_options import NameOptions
from weightscope.analyses.outliers.options import OutliersOptions
from weightscope.analyses.outliers.request import OutliersRequest
from weightscope.analyses.piece import Piece
from weightscope.analyses.pieces import everything
from weightscope.analyses.spectrum.options import SpectrumOptions
from weightscope.analyses.spectrum.request import SpectrumRequest
from weightscope.checkpoints import open_checkpoint, same
from weightscope.engine import Device, Executor, Meter, Session, Unit
from weightscope.naming import Place
from weightscope.notes import united
from weightscope.running import Running
from weightscope.sketches import Count, MarginSums
from weightscope.sketches.pair_moments import Pairwise

REQUESTS = (
    FitRequest(FitOptions(balance=True, coding=True, panels=False)),
    SpectrumRequest(SpectrumOptions(balance=True, panels=False)),
    OutliersRequest(OutliersOptions(quant=("int8",), panels=False)),
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Matrix, bias, convolution, embedding, buffer, LoRA pair, and a type that is not measured."""
    seeded = torch.Generator().manual_seed(0)
    draw = lambda *shape: 0.02 * torch.randn(shape, generator=seeded)
    stem = "base_model.model.layers.0.mlp.up_proj"
    tensors = {
        "model.layers.0.mlp.down_proj.weight": draw(48, 32),
        "model.layers.0.mlp.down_proj.bias": draw(48),
        "model.embed_tokens.weight": draw(64, 32),
        "conv.weight": draw(8, 4, 3, 3),
        "features.0.depthwise.weight": draw(32, 1, 3, 3),
        "bn.running_mean": draw(8),
        f"{stem}.lora_A.weight": draw(4, 32),
        f"{stem}.lora_B.weight": draw(48, 4),
        "z.phase": torch.ones(4, 4, dtype=torch.complex64),
    }
    path = tmp_path_factory.mktemp("joined") / "model.safetensors"
    save_file(tensors, path)
    return everything(open_checkpoint(path), NameOptions())


@pytest.fixture(scope="module")
def alone(model):
    """A run of each request."""
    return [run(model, request) for request in REQUESTS]


@pytest.fixture(scope="module")
def together(model):
    """A run of all requests."""
    return run(model, Joined(REQUESTS))


class Watched(Executor):
    """The engine, counting the measures of every unit that it is given."""

    def __call__(self, units, each):
        """Counts, then measures."""
        for unit in units:
            for label, measures in unit.wants.items():
                taken.update((id(unit.entries[label]), measure) for measure in measures)
        return super().__call__(units, each)


taken: Counter = Counter()


def run(model, request):
    """Answers, bytes read and how often each measure was taken of each entry."""
    taken.clear()
    meter = Meter()
    found = list(answers(model.pieces, request, Watched(Device("cpu", 1 << 30, 1, ""), meter)))
    return found, meter.bytes_read, Counter(taken)


def test_joined_requests_read_once_and_measure_once(model, alone, together):
    """All three analyses: the bytes of the largest of them, and each measure once per entry."""
    _, read, counted = together
    assert max(counted.values()) == 1
    payload = sum(
        t.nbytes for t in model.checkpoint.tensors if t.measurable and t.name != "z.phase"
    )
    factors = sum(t.nbytes for t in model.checkpoint.tensors if ".lora_" in t.name)
    assert read == payload + factors  # a product is read whole, and by its factors
    assert sum(each[1] for each in alone) > 2 * read
    assert sum(sum(each[2].values()) for each in alone) > sum(counted.values())


def test_joined_values_are_those_of_each_request(model, alone, together):
    """Bit for bit, with all notes; later values replace those of earlier requests, nulls not."""
    assert [a.piece.name for a in together[0]] == [p.name for p in model.pieces]
    for joint, *own in zip(together[0], *(found for found, _, _ in alone), strict=True):
        expected = {}
        for answer in own:
            expected |= {
                k: v for k, v in answer.values.items() if v is not None or k not in expected
            }
        assert joint.values.keys() == expected.keys()
        for name, value in expected.items():
            if name != "notes":
                assert repr(joint.values[name]) == repr(value), name
        assert joint.values["notes"] == united(*(answer.values["notes"] for answer in own))


def test_equal_requests_join_to_one(model, alone):
    """Twice the same request costs nothing more."""
    once, read, counted = alone[0]
    twice, read_twice, counted_twice = run(model, Joined((REQUESTS[0], REQUESTS[0])))
    assert (read, counted) == (read_twice, counted_twice)
    assert [repr(a.values) for a in once] == [repr(a.values) for a in twice]


def test_entries_are_the_same_by_what_they_are_made_of(model, draw):
    """Tensors in memory by identity: equal names of two models are two tensors."""
    first, second = (open_checkpoint({"w": draw(4, 4)}).tensors[0] for _ in range(2))
    assert same(first, first)
    assert not same(first, second)
    again = everything(model.checkpoint, NameOptions())
    pairs = [
        (a.entry, b.entry)
        for a, b in zip(model.pieces, again.pieces, strict=True)
        if a.entry is not None
    ]
    assert all(same(a, b) for a, b in pairs)
    assert not any(same(a, b) for (a, _), (b, _) in pairwise(pairs))


def test_nothing_measured_is_nulls_with_a_note(together):
    """Every column of the statistics is there."""
    found = {a.piece.name: a for a in together[0]}["z.phase"]
    names = {c.name for request in REQUESTS for s in request.statistics for c in s.columns}
    assert found.values.keys() == names | {"notes"}
    assert {v for k, v in found.values.items() if k != "notes"} == {None}
    assert [note.code for note in found.values["notes"]] == ["type-not-decoded"]


def test_measures_see_the_same_tiles_under_the_labels_of_the_joined_unit():
    """A pair of b and c joins one of a and b: b is read once, and each measure finds its partner.

    Both pairs have the labels a and b; in the joined unit every entry has one label of its own.
    """
    draw = torch.Generator().manual_seed(0)
    x, y, z = (torch.randn(4, 4, generator=draw) for _ in range(3))
    of_x, of_y, of_z = (open_checkpoint({"w": t}).tensors[0] for t in (x, y, z))
    piece = Piece("w", Place(), of_x, of_x)
    pairwise = frozenset({Pairwise("a")})
    units = (
        Unit(piece, {"a": of_x, "b": of_y}, {"b": pairwise}, {"b": ("a",)}),
        Unit(piece, {"a": of_y, "b": of_z}, {"b": pairwise}, {"b": ("a",)}),
    )
    joined = JoinedUnits(piece)
    shares = [joined.share(unit) for unit in units]
    (unit,) = joined.freeze()
    assert len(unit.entries) == 3
    measured = list(Session(Running(device="cpu"), None)([unit], lambda measured: {}))
    for share, (a, b) in zip(shares, ((x, y), (y, z)), strict=True):
        moments = share.of(measured).sketches["b"][Pairwise("a")]
        assert moments.ab == pytest.approx(float((a * b).double().sum()))


def test_units_without_a_common_entry_stay_apart():
    """A label in common joins nothing."""
    a, b = (open_checkpoint({name: torch.ones(4, 4)}).tensors[0] for name in "ab")
    piece = Piece("w", Place(), a, a)
    joined = JoinedUnits(piece)
    joined.share(Unit(piece, {"": a}, {"": frozenset({Count()})}))
    joined.share(Unit(piece, {"": b}, {"": frozenset({Count()})}))
    joined.share(Unit(piece, {"other": b}, {"other": frozenset({MarginSums()})}))
    first, second = joined.freeze()
    assert first.wants == {"": {Count()}}
    assert second.wants == {"": {Count(), MarginSums()}}


def test_equal_entries_of_one_unit_keep_their_labels(model):
    """A model beside itself: measures that look for a label find it."""
    piece = next(p for p in model.pieces if p.name == "model.embed_tokens.weight")
    count = frozenset({Count()})

    class Twice:
        statistics = ()

        def units(self, piece):
            return (
                Unit(
                    piece,
                    {"": piece.entry, "base": piece.entry},
                    {"": count, "base": count},
                    {"": ("base",)},
                ),
            )

        def sketches(self, piece, measured):
            return measured[0].sketches

        def values(self, piece, measured):
            return {"notes": ()}

    joined = Joined((Twice(),))
    found = list(answers([piece], joined, Executor(Device("cpu", 1 << 30, 1, ""), Meter())))
    assert set(found[0].sketches) == {"", "base"}


def test_a_null_replaces_no_value(model):
    """Only fit has the spread of a depthwise kernel; the order of the requests does not matter."""
    for requests in (REQUESTS[:2], REQUESTS[1::-1]):
        rows = {a.piece.name: a.values for a in run(model, Joined(requests))[0]}
        assert rows["features.0.depthwise.weight"]["row_spread"] > 0
