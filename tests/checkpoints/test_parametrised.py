"""Weight norm, spectral norm, masks and other parametrisations, as torch stores them."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch.nn.utils import parametrizations, prune

import weightscope as ws
from weightscope.checkpoints.entry import Stored
from weightscope.checkpoints.open import open_checkpoint

FC, CONV = "encoder.layers.0.fc1", "encoder.pos_conv_embed.conv"
COLUMNS = ("tensor", "role", "kind", "layer", "shape", "params", "std", "nan", "note")


def fitted(model):
    """The rows of `fit` by their tensors."""
    rows = ws.fit(model, columns=COLUMNS, panels=False).rows
    return {row["tensor"]: {**row, "note": row["note"] or ""} for row in rows}


def listed(model):
    """The rows of `ls` by their tensors."""
    return {row["tensor"]: {**row, "note": row["note"] or ""} for row in ws.ls(model).rows}


def state_of(module, name):
    """Its tensors under a name."""
    return {f"{name}.{key}": tensor for key, tensor in module.state_dict().items()}


def old_weight_norm(module, dim):
    """The deprecated form, whose names are in most files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.nn.utils.weight_norm(module, dim=dim)


def new_weight_norm(module, dim):
    """The current form."""
    return parametrizations.weight_norm(module, dim=dim)


@pytest.mark.parametrize("norm", [old_weight_norm, new_weight_norm], ids=["weight_g", "original0"])
@pytest.mark.parametrize(("module", "name", "dim"), [
    (torch.nn.Linear(24, 40), FC, 0), (torch.nn.Linear(24, 40), FC, None),
    (torch.nn.Conv1d(8, 12, 5), CONV, 2), (torch.nn.Conv2d(3, 8, 3), CONV, 0),
])  # fmt: skip
def test_g_and_v_are_one_matrix(norm, module, name, dim) -> None:
    """The weight that acts, where its `.weight` would stand; `ls` lists both."""
    copy = norm(type(module)(*_arguments(module)), dim)
    with torch.no_grad():
        next(p for key, p in copy.named_parameters() if key.endswith(("_g", "original0"))).mul_(2.5)
    copy(torch.zeros(_input(module)))  # the old form computes its weight before the call
    state = state_of(copy, name)
    rows = fitted(state)
    assert set(rows) == {f"{name}.weight[weight_norm]", f"{name}.bias"}
    row, plain = (
        rows[f"{name}.weight[weight_norm]"],
        fitted({f"{name}.weight": copy.weight.detach()})[f"{name}.weight"],
    )
    same = ("role", "kind", "layer", "shape", "params")
    assert [row[c] for c in same] == [plain[c] for c in same]
    assert row["std"] == pytest.approx(copy.weight.detach().double().numpy().std(), rel=1e-5)
    assert "alone" not in row["note"]
    there = listed(state)
    assert set(there) == set(state)
    v = next(key for key in state if key.endswith(("_v", "original1")))
    assert there[v]["role"] == plain["role"]


def _arguments(module):
    if isinstance(module, torch.nn.Linear):
        return module.in_features, module.out_features
    return module.in_channels, module.out_channels, module.kernel_size


def _input(module):
    if isinstance(module, torch.nn.Linear):
        return 1, module.in_features
    return 1, module.in_channels, *[8] * len(module.kernel_size)


def test_fused_weights_are_split_behind_their_norm(draw) -> None:
    """q, k and v of a normed weight are those of the weight."""
    g, v = draw(72, 1, std=1.0), draw(72, 24)
    state = {"visual.transformer.resblocks.0.attn.in_proj_weight_g": g,
             "visual.transformer.resblocks.0.attn.in_proj_weight_v": v}  # fmt: skip
    weight = torch._weight_norm(v, g, 0)
    rows = fitted(state)
    for i, part in enumerate("qkv"):
        row = rows[f"visual.transformer.resblocks.0.attn.in_proj_weight[weight_norm][{part}]"]
        assert row["std"] == pytest.approx(weight[24 * i : 24 * i + 24].numpy().std(), rel=1e-5)


def test_gates_of_a_recurrent_layer_have_norms_too(draw) -> None:
    """Any parameter may be normed by its name."""
    state = {"rnn.weight_hh_l0_g": draw(16, 1), "rnn.weight_hh_l0_v": draw(16, 4)}
    assert set(fitted(state)) == {"rnn.weight_hh_l0[weight_norm]"}


@pytest.mark.parametrize(("state", "why"), [
    ({"weight_v": (8, 4)}, "weight_v without weight_g beside it"),
    ({"weight_g": (8, 1)}, "weight_g without weight_v beside it"),
    ({"parametrizations.weight.original1": (8, 4)}, "original1 without original0 beside it"),
    ({"parametrizations.weight.original0": (8, 1)}, "original0 without original1 beside it"),
    ({"weight_g": (7, 1), "weight_v": (8, 4)}, "shapes do not fit"),
    ({"weight_g": (8, 4), "weight_v": (8, 4)}, "shapes do not fit"),
    ({"weight_g": (8,), "weight_v": (8, 4)}, "shapes do not fit"),
    ({"weight_g": (8, 1), "weight_v": (8, 4), "weight": (8, 4)}, "beside the weight itself"),
])  # fmt: skip
def test_halves_and_misfits_are_measured_alone(draw, state, why) -> None:
    """And say so; nothing is multiplied."""
    model = {f"{FC}.{name}": draw(*shape) for name, shape in state.items()}
    rows = fitted(model)
    assert set(rows) == set(model)
    noted = [row for name, row in rows.items() if why in row["note"]]
    assert len(noted) == len([name for name in state if name != "weight"])
    for name in model:
        assert (why in listed(model)[name]["note"]) == (name != f"{FC}.weight")


def test_integers_are_no_norm() -> None:
    """Nor codes: the note says what is missing."""
    model = {
        f"{FC}.weight_g": torch.ones(8, 1),
        f"{FC}.weight_v": torch.ones(8, 4, dtype=torch.int32),
    }
    assert all("not both floats" in row["note"] for row in fitted(model).values())


@pytest.mark.parametrize("form", ["weight_orig", "original"])
@pytest.mark.parametrize(
    ("module", "role"), [(torch.nn.Linear(24, 40), "mlp.up"), (torch.nn.Conv2d(3, 8, 3), None)]
)
def test_a_spectral_norm_keeps_its_weight(form, module, role) -> None:
    """Its vectors are buffers, `weight_v` among them; the weight is the one before the division."""
    norm = torch.nn.utils.spectral_norm if form == "weight_orig" else parametrizations.spectral_norm
    state = state_of(norm(type(module)(*_arguments(module))), FC)
    rows = fitted(state)
    (name,) = (name for name in state if name.endswith(form))
    assert set(rows) == {name, f"{FC}.bias"}
    assert "before the division by its spectral norm" in rows[name]["note"]
    assert rows[name]["role"] == (role or rows[name]["role"])
    assert rows[name]["std"] == pytest.approx(state[name].double().numpy().std(), rel=1e-9)
    vectors = [n for n in state if n not in rows]
    assert len(vectors) == 2
    assert {listed(state)[n]["kind"] for n in vectors} == {"buffer"}
    assert {listed(state)[n]["layer"] for n in vectors} == {0}


def test_other_parametrisations_have_the_role_of_the_weight() -> None:
    """An orthogonal one, whose base is a buffer."""
    state = state_of(parametrizations.orthogonal(torch.nn.Linear(24, 40)), FC)
    row = fitted(state)[f"{FC}.parametrizations.weight.original"]
    assert (row["role"], row["layer"]) == ("mlp.up", 0)
    assert "stored before a parametrisation" in row["note"]
    assert not any(".base" in name for name in fitted(state))


def test_a_pruned_weight_is_that_before_its_mask() -> None:
    """The mask is a buffer."""
    module = torch.nn.Linear(24, 40)
    prune.random_unstructured(module, "weight", 0.5)
    rows = fitted(state_of(module, FC))
    assert set(rows) == {f"{FC}.weight_orig", f"{FC}.bias"}
    assert rows[f"{FC}.weight_orig"]["role"] == "mlp.up"
    assert "before its pruning mask" in rows[f"{FC}.weight_orig"]["note"]


def test_rows_of_zeros_are_counted_as_nan(draw) -> None:
    """As the model would compute them."""
    v = draw(40, 24)
    v[3] = 0
    row = fitted({f"{FC}.weight_g": torch.ones(40, 1), f"{FC}.weight_v": v})[
        f"{FC}.weight[weight_norm]"
    ]
    assert row["nan"] == 24


@pytest.mark.parametrize("part", ["mask", "bar", "u", "orig"])
def test_a_part_without_its_siblings(part) -> None:
    """A file may hold one part of a parametrisation alone: it opens."""
    assert open_checkpoint({f"a.weight_{part}": torch.ones(3, 4)}).norms == ()


def test_hostile_names_and_shapes_do_no_harm() -> None:
    """Scalars, empty tensors, long names, a hundred thousand of them."""
    names = [
        "weight_g",
        "weight_v",
        "parametrizations.weight.original0",
        "parametrizations.weight.original1",
        "a" * 600 + ".weight_v",
        "x.weight_u",
        "y.weight_orig",
        "z.parametrizations.weight.0._u",
    ]
    for shape in ((), (0,), (0, 4), (1,), (4, 4)):
        open_checkpoint({name: torch.zeros(shape) for name in names})
    assert open_checkpoint({f"x.{i}.weight_v": torch.zeros(()) for i in range(500)}).norms == ()


def test_stored_names_stay(draw) -> None:
    """A weight and what only looks like a part of one."""
    state = {"a.weight_gate": draw(8, 4), "a.weights_v": draw(8, 4), "b.weight_v_proj": draw(8, 4)}
    found = open_checkpoint(state)
    assert found.norms == ()
    assert not any(t.weight or t.notes for t in found.tensors)
    assert isinstance(found.tensors[0], Stored)
