"""Which tensors of a training file are the model, and what happens to the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from weightscope.checkpoints import open_checkpoint
from weightscope.checkpoints.checkpoint import Checkpoint
from weightscope.checkpoints.readers.nested import choose
from weightscope.checkpoints.readers.torch_file import read
from weightscope.checkpoints.readers.torch_values import Found, Kind, Storage
from weightscope.errors import CheckpointError, UsageError


def t(*dims: int) -> Found:
    kind = Kind("F32", 4)
    return Found(kind, dims, Storage("0", kind, 1 << 40))


def names(tree: object, root: str | None = None) -> tuple[list[str], list[str]]:
    choice = choose(tree, root)
    return [name for name, _ in choice.model], [name for name, _ in choice.others]


MODEL = {"conv.weight": t(8, 8), "conv.bias": t(8)}
STATE = {
    "state": {0: {"exp_avg": t(8, 8), "exp_avg_sq": t(8, 8), "step": t()}},
    "param_groups": [{"lr": 0.1}],
}


def test_bare_state_dict() -> None:
    """Nothing is chosen and nothing said where there is no choice."""
    assert choose(MODEL).notes == ()
    assert names(MODEL) == (["conv.weight", "conv.bias"], [])


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict", "net", "anything"])
def test_training_file(key: str) -> None:
    """The largest dict is the model under any key; the rest keeps full names and is listed."""
    tree = {"epoch": 3, key: MODEL, "optimizer": STATE, "mean": t(3)}
    assert names(tree) == (
        list(MODEL),
        [
            "optimizer.state.0.exp_avg",
            "optimizer.state.0.exp_avg_sq",
            "optimizer.state.0.step",
            "mean",
        ],
    )
    assert choose(tree).notes == (
        f"the model is {key}: 2 tensors, the largest dict of tensors (--root chooses another)",
        "listed, not measured: 4 tensors in (top), optimizer.state.0",
    )
    assert choose(tree).flags == ()


@pytest.mark.parametrize(
    "key",
    [
        "optimizer",
        "optim",
        "optimizers",
        "optimizer_states",
        "g_optim",
        "optimizer_state_dict",
        "opt",
        "ema",
        "ema_state_dict",
        "model_ema",
        "swa_model",
        "shadow_params",
        "averaged_model",
        "grad_scaler",
    ],
)
def test_set_aside(key: str) -> None:
    """Optimizer state and averaged copies are never the model, however large."""
    assert names({"net": MODEL, key: {"a": t(1000, 1000)}}) == (list(MODEL), [f"{key}.a"])


@pytest.mark.parametrize("key", ["option", "emanate", "schema", "topology", "average_pool"])
def test_not_set_aside(key: str) -> None:
    """Keys that only resemble those are not."""
    assert names({"net": MODEL, key: {"a": t(1000, 1000)}}) == (
        ["a"],
        ["net.conv.weight", "net.conv.bias"],
    )


def test_flat_copies() -> None:
    """An averaged copy in the model's dict is recognised by its prefix, momentum by its name."""
    tree = {
        "conv.weight": t(8, 8),
        "model_ema.conv.weight": t(8, 8),
        "ema": t(2),
        "conv.exp_avg": t(8, 8),
    }
    assert names(tree) == (["conv.weight", "ema"], ["model_ema.conv.weight", "conv.exp_avg"])


def test_averages_alone() -> None:
    """Where averages are all there is, they are the model."""
    assert names({"ema": MODEL, "optimizer": STATE})[0] == list(MODEL)


def test_optimizer_alone() -> None:
    """A file of optimizer state holds no model, however its keys are called."""
    for tree in (STATE, {"optimizer": {"a": t(2)}}, {"x": {0: {"momentum_buffer": t(2)}}}):
        with pytest.raises(
            CheckpointError,
            match="found optimizer state only, no tensors of a model; name the file",
        ):
            choose(tree)


def test_root() -> None:
    """--root takes any container of tensors by its dotted path, optimizer state too."""
    tree = {
        "net": MODEL,
        "gan": {"g": {"w": t(2)}, "d": {"w": t(3), "ema": {"w": t(9)}}},
        "optimizer": STATE,
    }
    assert names(tree, "gan")[0] == ["g.w", "d.w"]
    assert names(tree, "gan.d")[0] == ["w"]
    assert names(tree, "optimizer")[0] == ["state.0.exp_avg", "state.0.exp_avg_sq", "state.0.step"]
    assert choose(tree, "gan.g").notes[0] == "the model is gan.g: 1 tensors, chosen by --root"


def test_unknown_root() -> None:
    """A root that is not there is a wrong call, answered with the nearest or with all there are."""
    with pytest.raises(
        UsageError,
        match="one of the 3 dicts that hold tensors; found state_dcit; did you mean state_d",
    ):
        choose({"state_dict": MODEL, "gan": {"g": {"w": t(2)}}}, "state_dcit")
    with pytest.raises(
        UsageError, match="one of the 0 dicts that hold tensors; found x; omit --root"
    ):
        choose(MODEL, "x")
    tree = {
        "gan": {"g": {"w": t(2)}},
        "net": MODEL,
        "optimizer": {"state": {k: {"exp_avg": t(2)} for k in range(9)}},
    }
    with pytest.raises(
        UsageError,
        match=r"choose one of gan, net, optimizer, gan\.g, optimizer\.state, .* and 4 more$",
    ):
        choose(tree, "zzz")


def test_tie() -> None:
    """Two dicts of equal size are a question, not a guess."""
    tree: dict[str, Any] = {"generator": MODEL, "discriminator": dict(MODEL)}
    with pytest.raises(
        UsageError,
        match="found 2 of 72 parameters: generator, discriminator; choose one, as in --root gen",
    ):
        choose(tree)
    assert names(tree, "discriminator")[0] == list(MODEL)
    assert names({"net": MODEL, "ema": dict(MODEL)})[0] == list(MODEL)


def test_containers() -> None:
    """A bare tensor, lists and tuples have names too."""
    assert names(t(2)) == (["tensor"], [])
    assert names([t(2), (t(3), t(4))]) == (["0", "1"], [".0"])
    assert names((t(2), t(3))) == (["0", "1"], [])
    assert names({"top": t(9), "sub": {"w": t(2)}}) == (["top", "sub.w"], [])


def test_empty_key() -> None:
    """An empty key is an empty name; a bare tensor is called tensor."""
    assert names({"": t(2), "b": t(3)}) == (["", "b"], [])
    assert names(t(2)) == (["tensor"], [])


def test_odd_keys() -> None:
    """Keys that are no text are converted, with a flag where they name tensors of the model."""
    choice = choose({0: t(2), (1, "a"): t(3), None: t(4), "w": t(5)})
    assert [name for name, _ in choice.model] == ["0", "(1, 'a')", "None", "w"]
    assert choice.flags == ("3 tensors have keys that are not strings: converted to text",)


@pytest.mark.parametrize("tree", [{}, [], (), None, 3, "x", {"a": {"b": [1, 2]}}])
def test_empty(tree: object) -> None:
    """A file without tensors is refused."""
    with pytest.raises(CheckpointError, match="expected tensors; no tensors in the file"):
        choose(tree)


def test_names_outside_the_model() -> None:
    """A tensor beside the model that is named like one of it begins with a dot."""
    assert names({"net": {"step": t(9), "opt.a": t(9)}, "step": t(), "opt": {"a": t(1)}}) == (
        ["step", "opt.a"],
        [".step", ".opt.a"],
    )


@pytest.mark.parametrize(
    "tree", [{0: t(2), "0": t(2)}, {"a": {"b": t(2)}, "a.b": t(2), "c": t(100)}]
)
def test_same_name_twice(tree: object) -> None:
    """Names that become equal as text are refused."""
    with pytest.raises(
        CheckpointError, match=r"expected one tensor per name; found two named (0|a\.b)"
    ):
        choose(tree)


def knot() -> list[object]:
    tied: list[object] = [t(2)]
    tied.append(tied)
    return tied


def doubled() -> object:
    tree: object = [t(2)]
    for _ in range(60):
        tree = [tree, tree]
    return tree


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (knot, "expected at most 2000000 tensors and 64 levels; found more"),
        (
            doubled,
            "found 121 items that are visited more than 119.. times, "
            "as some hold each other again and again",
        ),
    ],
)
def test_without_end(make: Callable[[], object], found: str) -> None:
    """Containers that hold themselves, or each other, are limited in depth and number."""
    with pytest.raises(CheckpointError, match=found):
        choose(make())


def test_shared_containers() -> None:
    """A dict that stands under a few names is met under each."""
    inner = {f"w{i}": t(2) for i in range(3000)}
    found = choose({"a": {"x": inner, "y": inner, "z": inner}, "ema": inner}, "a.x")
    assert len(found.model) + len(found.others) == 4 * 3000


def test_long_names() -> None:
    """Names have a limit."""
    with pytest.raises(
        CheckpointError, match="expected names of at most 4096 characters; found 5000"
    ):
        choose({"w" * 5000: t(2)})


def saved(folder: Path, value: object) -> Checkpoint:
    torch.save(value, folder / "m.pt")
    return read(str(folder / "m.pt"))


def test_real_training_file(tmp_path: Path, no_compiler: None) -> None:
    """What torch itself writes for a model and its optimizer."""
    model = torch.nn.Linear(4, 3)
    adam = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 4)).sum().backward()
    adam.step()
    c = saved(tmp_path, {"model": model.state_dict(), "optimizer": adam.state_dict(), "epoch": 1})
    assert [x.name for x in c.tensors][:2] == ["weight", "bias"]
    assert c.optimizer == {
        f"optimizer.state.{i}.{k}" for i in (0, 1) for k in ("step", "exp_avg", "exp_avg_sq")
    }
    assert len(c.tensors) == 8
    with pytest.raises(CheckpointError, match="optimizer state only"):
        saved(tmp_path, adam.state_dict())


def test_tied_across(tmp_path: Path) -> None:
    """An averaged copy that shares the model's bytes is an alias of it."""
    w = torch.ones(2)
    c = saved(tmp_path, {"ema": {"w": w}, "model": {"w": w}})
    assert ([x.name for x in c.tensors], c.aliases, c.optimizer) == (
        ["w"],
        {"ema.w": "w"},
        frozenset(),
    )


def test_shared_values_without_a_tensor_do_no_harm(tmp_path: Path) -> None:
    """Histories and vocabularies may share a list a thousand times: such a file is sound."""
    row = [1.0] * 200
    state = {"a.weight": torch.ones(2, 2)}
    for beside in ([[0] * 1000] * 1000, [row] * 5000, {f"w{i}": row for i in range(3000)}):
        torch.save({"model": state, "history": beside}, tmp_path / "a.pt")
        assert [t.name for t in open_checkpoint(tmp_path / "a.pt").tensors] == ["a.weight"]
