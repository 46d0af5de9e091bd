"""Pairs by name, without wrappers, by place; what has several candidates or none."""

from __future__ import annotations

import sys
from dataclasses import replace

import torch

from tests.analyses.compare.models import drawn, met, model, pairs
from tests.naming.spellings import Shapes, bert, llama
from weightscope.analyses.compare.no_pair import nothing_paired
from weightscope.analyses.compare.pair import Pair
from weightscope.analyses.piece import Model, Piece
from weightscope.checkpoints import Checkpoint, Stored
from weightscope.errors import UsageError
from weightscope.naming import Place
from weightscope.order import natural

D = 8


def ones(*names: str) -> dict[str, torch.Tensor]:
    return {name: torch.ones(D, D) for name in names}


def codes(found: tuple[Pair, ...]) -> dict[str, list[str]]:
    return {pair.name: [note.code for note in pair.notes] for pair in found}


def test_equal_names_meet_whatever_they_mean() -> None:
    """Names decide first: places and shapes that differ do not separate them."""
    found = pairs(model({"a.weight": torch.ones(4, 3)}), model({"a.weight": torch.ones(2, 5)}))
    assert met(found) == {("a.weight", "a.weight")}
    assert found[0].reshaped
    assert found[0].other_name is None


def test_the_rest_is_added_or_removed() -> None:
    """Every piece has a row, buffers too, in natural order of the names of A, else of B."""
    a = model(ones("h.10.x", "h.2.x", "h.2.attn.masked_bias"))
    b = model(ones("h.9.y", "h.2.x", "h.11.y"))
    found = pairs(a, b)
    assert met(found) == {
        ("h.2.x", "h.2.x"),
        ("h.10.x", None),
        ("h.2.attn.masked_bias", None),
        (None, "h.9.y"),
        (None, "h.11.y"),
    }
    names = [pair.name for pair in found]
    assert names == sorted(names, key=natural)
    assert {pair.name: pair.place.kind for pair in found}["h.2.attn.masked_bias"] == "buffer"


def test_wrappers_are_left_out() -> None:
    """Words of a whole model around the same name do not matter."""
    a = model(ones("module.transformer.trunk.odd", "bert.other.odd"))
    b = model(ones("model.trunk.odd", "other.odd"))
    found = pairs(a, b)
    assert met(found) == {
        ("module.transformer.trunk.odd", "model.trunk.odd"),
        ("bert.other.odd", "other.odd"),
    }
    assert found[0].other_name == "other.odd"
    (longer,) = pairs(
        model({"module.trunk.odd": torch.ones(3, 4)}), model({"trunk.odd": torch.ones(3, 5)})
    )
    assert longer.reshaped


def test_several_names_without_wrappers_stay_alone() -> None:
    """A name that fits two of the other model meets neither, and no later step pairs them."""
    a = model(ones("norm.thing"))
    b = model(ones("model.norm.thing", "bert.norm.thing"))
    found = pairs(a, b)
    assert met(found) == {
        ("norm.thing", None),
        (None, "model.norm.thing"),
        (None, "bert.norm.thing"),
    }
    assert all("several-partners" in noted for noted in codes(found).values())
    note = found[-1].notes[-1]
    assert note.text == (
        "1 of this model and 2 of the other fit each other: bert.norm.thing, model.norm.thing; "
        "none is paired"
    )


def test_an_exact_name_is_not_one_of_several() -> None:
    """The same name counts before names that are equal without wrappers."""
    found = pairs(model(ones("x.w", "model.x.w")), model(ones("x.w", "transformer.x.w")))
    assert met(found) == {("x.w", "x.w"), ("model.x.w", "transformer.x.w")}


def test_many_candidates_are_counted() -> None:
    """A note names three of them."""
    others = [f"{word}.x.w" for word in ("model", "bert", "vit", "deit", "swin")]
    found = pairs(model(ones("x.w")), model(ones(*others)))
    (note,) = [n for pair in found if pair.a for n in pair.notes if n.code == "several-partners"]
    assert note.value("names") == "bert.x.w, deit.x.w, model.x.w and 2 more"


def test_unknown_roles_meet_by_path_and_shape() -> None:
    """A place that is a path says nothing of a tensor of another shape, or without any word."""
    stored = {"model.layers.3.odd.thing": torch.ones(4, 4)}
    same = {"blocks.3.odd.thing": torch.ones(4, 4)}
    other = {"blocks.3.odd.thing": torch.ones(4, 5)}
    assert met(pairs(model(stored), model(same))) == {(*stored, *same)}
    assert met(pairs(model(stored), model(other))) == {(*stored, None), (None, *other)}
    nameless, numbered = ones("blocks.3.weight"), ones("layers.3.weight")
    assert met(pairs(model(nameless), model(numbered))) == {(*nameless, None), (None, *numbered)}


def test_numbers_that_keep_places_apart_meet_nothing() -> None:
    """Two tensors at one place are numbered in each file on its own: neither order pairs them."""
    a = model(ones("module.h.3.x.thing", "h.3.x.thing"))
    b = model(ones("module.layers.3.x.thing", "layers.3.x.thing"))
    assert sum("#" in piece.place.slot for piece in (*a.pieces, *b.pieces)) == 2
    found = pairs(a, b)
    assert all(pair.a is None or pair.b is None for pair in found)
    assert all("several-partners" in noted for noted in codes(found).values())


def tower(prefix: str, spelling: str) -> Shapes:
    """The layers of a Llama inside a larger model."""
    return {f"{prefix}{name}": dims for name, dims in llama(spelling).items() if "layers" in name}


def test_a_stack_meets_the_only_one_it_can_be() -> None:
    """Layers of Meta's spelling meet those of a language model beside a tower of other roles."""
    a = drawn({name: dims for name, dims in llama("meta").items() if "layers" in name})
    vision = {f"vision.blocks.{i}.conv1.weight": (4, 4, 3, 3) for i in range(2)}
    b = drawn(tower("language_model.", "hf") | vision)
    found = pairs(model(a), model(b))
    assert len({pair.b.place.stack for pair in found if pair.b}) == 2
    partners = met(found)
    assert (
        "layers.1.feed_forward.w2.weight",
        "language_model.model.layers.1.mlp.down_proj.weight",
    ) in (partners)
    assert {mine for mine, other in partners if other is None} == set()
    assert {other for mine, other in partners if mine is None} == set(vision)


def test_a_stack_that_two_others_can_be_stays_alone() -> None:
    """Which of two towers a model is cannot be known, even where one is deeper than the other."""
    a = drawn({name: dims for name, dims in llama("meta").items() if "layers" in name})
    shallow = {n: dims for n, dims in tower("audio_model.", "hf").items() if "layers.0." in n}
    b = drawn(tower("language_model.", "hf") | shallow)
    found = pairs(model(a), model(b))
    assert all(pair.a is None or pair.b is None for pair in found)
    assert {tuple(noted) for noted in codes(found).values()} == {("several-partners",)}


def test_stacks_that_have_met_others_are_taken() -> None:
    """Layers that only another tower has stay alone where the stack has its partner."""
    a = drawn(tower("language_model.", "hf") | tower("audio_model.", "hf"))
    b = drawn(tower("language_model.", "hf") | tower("vision_model.", "hf"))
    found = pairs(model(a), model(b))
    partners = {(pair.a.place.stack, pair.b.place.stack) for pair in found if pair.a and pair.b}
    assert partners == {("language_model", "language_model"), ("audio_model", "vision_model")}
    short_audio = {n: dims for n, dims in tower("audio_model.", "hf").items() if "layers.0." in n}
    short_text = {n: dims for n, dims in tower("language_model.", "hf").items() if "layers.0." in n}
    a = drawn(tower("language_model.", "hf") | short_audio)
    b = drawn(short_text | tower("vision_model.", "hf"))
    found = pairs(model(a), model(b))
    partners = {(pair.a.place.stack, pair.b.place.stack) for pair in found if pair.a and pair.b}
    assert partners == {("language_model", "language_model"), ("audio_model", "vision_model")}


def test_a_head_behind_the_layers_makes_no_stacks_equal() -> None:
    """Towers without a layer in common stay alone with all that they have."""
    text = tower("language_model.", "hf")
    convolutions = {f"audio_model.blocks.{i}.conv1.weight": (4, 4, 3, 3) for i in range(2)}
    a = model(drawn(text | convolutions | {"audio_model.lm_head.weight": (D, D)}))
    b = model(drawn(text | tower("vision_model.", "hf") | {"vision_model.lm_head.weight": (D, D)}))
    heads = a.by_name["audio_model.lm_head.weight"], b.by_name["vision_model.lm_head.weight"]
    assert [(head.place.role, head.place.slot) for head in heads] == [("head", "")] * 2
    found = pairs(a, b)
    assert met(found) >= {
        ("audio_model.lm_head.weight", None),
        (None, "vision_model.lm_head.weight"),
    }


def test_the_same_model_twice() -> None:
    """One model as A and B: each piece meets itself."""
    one = model(drawn(bert("bert.")))
    found = pairs(one, one)
    assert all(pair.a is pair.b for pair in found)
    assert len(found) == len(one.pieces)


def test_nothing_in_common() -> None:
    """The error names both families and three names of each model."""
    a, b = model(drawn(llama("meta"))), model(ones("p.q", "r.s", "t.u", "v.w"))
    fault = nothing_paired(a, b)
    assert isinstance(fault, UsageError)
    assert fault.code == 2
    assert fault.found == (
        "no tensor of A has a partner in B: "
        "A has names of the family meta: 'layers.0.attention.wk.weight', "
        "'layers.0.attention.wo.weight', 'layers.0.attention.wq.weight'; "
        "B has names of no known family: 'p.q', 'r.s', 't.u'"
    )
    assert "B has no tensors" in nothing_paired(a, replace(b, pieces=())).found
    common = ones("lm_head.weight", "embed_tokens.weight", "wte.weight")
    assert "B has names of the family shared: 'embed_" in nothing_paired(a, model(common)).found
    mixed = model(common | ones("layers.0.attention.wq.weight"))
    assert "A has names of the family meta" in nothing_paired(mixed, b).found


def test_many_names_are_paired_in_linear_time() -> None:
    """Four times the layers take at most five times the steps."""
    layers = {n: [Place("mlp.up", layer=i, family="llama") for i in range(n)] for n in (50, 200)}
    assert steps(layers[200], layers[200]) < 5 * steps(layers[50], layers[50])


def test_many_stacks_are_paired_in_linear_time() -> None:
    """Stacks that each can be any of the other model are not tried one by one."""

    def stacks(word: str, count: int) -> list[Place]:
        names = [f"{word}{i}" for i in range(count)]
        return [Place("mlp.up", layer=0, stack=name, family="llama") for name in names]

    assert steps(stacks("a", 200), stacks("b", 200)) < 5 * steps(stacks("a", 50), stacks("b", 50))


def steps(of_a: list[Place], of_b: list[Place]) -> int:
    """Instructions of Python while pairing by these places alone: the same on any machine."""
    a, b = placed("a", of_a), placed("b", of_b)
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += 1
        frame.f_trace_opcodes = True
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        pairs(a, b)
    finally:
        sys.settrace(before)
    return count


def placed(word: str, places: list[Place]) -> Model:
    """A model whose names have nothing in common with another's."""
    pieces = []
    for i, place in enumerate(places):
        name = f"{word}.{i}"
        pieces.append(Piece(name, place, Stored(name, (1, 1), "F32")))
    return Model("", Checkpoint("", ()), tuple(pieces))
