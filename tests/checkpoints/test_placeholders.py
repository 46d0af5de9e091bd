"""Objects of unknown classes beside tensors: what is read, what is refused, and nothing called."""

from __future__ import annotations

import argparse
import copyreg
import datetime
import enum
import functools
import sys
import types
import typing
import uuid
import warnings
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.checkpoints import pickles as p
from weightscope.checkpoints import open_checkpoint
from weightscope.checkpoints.checkpoint import Checkpoint
from weightscope.errors import CheckpointError

FORMATS = pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
HERE = "tests.checkpoints.test_placeholders"
CALLS: list[str] = []


@dataclass
class Config:
    """A config class that records every way in which Python would call it."""

    width: int = 8
    parts: list[Any] = field(default_factory=list)

    def __new__(cls, *args: object, **words: object) -> Config:
        CALLS.append("new")
        return super().__new__(cls)

    def __setstate__(self, state: dict[str, object]) -> None:
        CALLS.append("setstate")
        self.__dict__.update(state)


class Words:
    """An object whose constructor takes keywords."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __new__(cls, value: object = None) -> Words:
        CALLS.append("new")
        return super().__new__(cls)

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, object]]:
        return (), {"value": self.value}


class Dict(dict[str, Any]):
    """A dict with attributes, as config libraries have."""


class List(list[Any]):
    """A list of its own class."""


class Set(set[Any]):
    """A set of its own class."""


class Colour(enum.Enum):
    """A choice."""

    RED = 1


class Old:
    """An object that pickles by copyreg's function, as before protocol 2."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __reduce__(self) -> tuple[Any, ...]:
        return copyreg._reconstructor, (Old, object, None), {"value": self.value}  # type: ignore[attr-defined]


class Called:
    """An object that pickles as a call of a function."""

    def __init__(self, function: Callable[..., object], *args: object) -> None:
        self.call = function, args

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def function(*args: object) -> None:
    """A function, which no file may call."""
    CALLS.append("function")


class Container:
    """As omegaconf builds its configs: nested objects with a type and a parent that refers back."""

    def __init__(self, content: object) -> None:
        self.__dict__["_metadata"] = {"ref_type": typing.Any, "object_type": dict, "key": None}
        self.__dict__["_resolver_cache"] = defaultdict(dict)
        self.__dict__["_parent"] = None
        self.__dict__["_content"] = content
        if isinstance(content, dict):
            for child in content.values():
                child.__dict__["_parent"] = self


def saved(folder: Path, value: object, new: bool = True, protocol: int = 2) -> Checkpoint:
    path = folder / "m.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns where it stores the source of a module
        torch.save(value, path, pickle_protocol=protocol, _use_new_zipfile_serialization=new)
    CALLS.clear()
    checkpoint = open_checkpoint(path)
    assert CALLS == []
    return checkpoint


BESIDE: dict[str, tuple[object, str]] = {
    "argparse": (argparse.Namespace(lr=1, names=["a"]), "argparse.Namespace"),
    "namespace": (types.SimpleNamespace(lr=1), "types.SimpleNamespace"),
    "config": (Config(3), f"{HERE}.Config"),
    "keywords": (Words(3), f"{HERE}.Words"),
    "omegaconf": (Container({"a": Container(1), "b": Container("x")}), f"{HERE}.Container"),
    "dict": (Dict(lr=1), f"{HERE}.Dict"),
    "list": (List([1, 2]), f"{HERE}.List"),
    "set": (Set([1, 2]), f"{HERE}.Set"),
    "enum": (Colour.RED, f"{HERE}.Colour"),
    "old": (Old(3), f"{HERE}.Old"),
    "path": (Path("a/b"), "pathlib"),
    "date": (datetime.datetime(2020, 1, 1), "datetime.datetime"),
    "interval": (datetime.timedelta(1), "datetime.timedelta"),
    "uuid": (uuid.UUID(int=3), "uuid.UUID"),
    "partial": (functools.partial(torch.nn.GELU, approximate="tanh"), "functools.partial"),
    "class": (torch.nn.GELU, "GELU"),
    "function": (torch.nn.functional.gelu, "gelu"),
    "annotation": (typing.Dict[str, int], "typing.Dict"),  # noqa: UP006 - pickled as a call
    "generic": (dict[str, int], "types.GenericAlias"),
    "loss": (torch.nn.CrossEntropyLoss(), "torch.nn.modules.loss.CrossEntropyLoss"),
    "keys": ({Colour.RED: 0.5, (Colour.RED, 1): 2}, f"{HERE}.Colour"),
    "shared": ([argparse.Namespace(lr=1)] * 3, "argparse.Namespace"),
}


@FORMATS
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("case", BESIDE)
def test_objects_beside_tensors(tmp_path: Path, case: str, protocol: int, new: bool) -> None:
    """The tensors in plain containers are read, a flag names the class, and nothing is called."""
    value, name = BESIDE[case]
    if case == "keywords":  # in protocol 2 its pickle calls functions
        protocol = 4
    whole = {"args": value, "model": {"w": torch.ones(2, 3)}}
    checkpoint = saved(tmp_path, whole, new, protocol)
    assert [(t.name, t.dims) for t in checkpoint.tensors] == [("w", (2, 3))]
    (flag,) = checkpoint.flags
    assert flag.startswith("objects and names beside the tensors are not read: ")
    assert name in flag
    assert flag.endswith("nothing of theirs was called")


PLAIN: dict[str, tuple[object, list[str]]] = {
    "defaultdict": (defaultdict(list, w=torch.ones(2)), ["w"]),
    "defaultdict without": (defaultdict(None, w=torch.ones(2)), ["w"]),
    "defaultdict of dicts": (defaultdict(OrderedDict, a={"w": torch.ones(2)}), ["w"]),
    "deque": ({"last": deque([torch.ones(2), torch.ones(3)], maxlen=4)}, ["0", "1"]),
    "Counter": ({"seen": Counter("aab"), "w": torch.ones(2)}, ["w"]),
    "types": ({"a": list, "b": type(None), "c": ..., "w": torch.ones(2)}, ["w"]),
    "range": ({"a": range(3), "b": slice(1, 2), "w": torch.ones(2)}, ["w"]),
}


@FORMATS
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("case", PLAIN)
def test_plain_containers(tmp_path: Path, case: str, protocol: int, new: bool) -> None:
    """Python's own containers are read as dicts and lists, without a flag."""
    value, names = PLAIN[case]
    checkpoint = saved(tmp_path, value, new, protocol)
    assert [t.name for t in checkpoint.tensors] == names
    assert checkpoint.flags == ()


W = torch.ones(2, 3)
INSIDE: dict[str, tuple[object, str]] = {
    "argparse": (argparse.Namespace(w=W), "argparse.Namespace"),
    "config": (Config(parts=[{"w": (W,)}]), f"{HERE}.Config"),
    "keywords": (Words(W), f"{HERE}.Words"),
    "dict": (Dict(w=W), f"{HERE}.Dict"),
    "list": (List([W]), f"{HERE}.List"),
    "old": (Old(W), f"{HERE}.Old"),
    "partial": (functools.partial(torch.nn.GELU, W), "functools.partial"),
    "module": (torch.nn.Linear(2, 3), "torch.nn.modules.linear.Linear"),
    "loss": (torch.nn.CrossEntropyLoss(weight=torch.ones(3)), "CrossEntropyLoss"),
    "nested": (argparse.Namespace(inner=Config(parts=[W])), f"argparse.Namespace, {HERE}.Config"),
    "back": (Container({"a": Container(W)}), f"{HERE}.Container"),
    "key": ({Colour.RED: W}, f"{HERE}.Colour"),
    "key of a dict": ({Colour.RED: {"w": [W]}}, f"{HERE}.Colour"),
}


@FORMATS
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("case", INSIDE)
def test_tensors_inside_objects(tmp_path: Path, case: str, protocol: int, new: bool) -> None:
    """A file with a tensor inside an object is refused with the class, outer classes first."""
    value, name = INSIDE[case]
    if case == "keywords":  # in protocol 2 its pickle calls functions
        protocol = 4
    with pytest.raises(CheckpointError, match=r"found tensors inside objects, in a pickle that"):
        saved(tmp_path, {"x": [value], "model": {"w": torch.ones(2, 3)}}, new, protocol)
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(tmp_path / "m.pt")
    assert name in caught.value.found
    assert "save `model.state_dict()` again" in caught.value.advice


@FORMATS
@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Called(function, 1), f"{HERE}.function"),
        (Called(print, 1), r"(__builtin__|builtins)\.print"),
        (Called(getattr, Config, "width"), r"(__builtin__|builtins)\.getattr"),
        (Called(sys.exit, 3), "sys.exit"),
        (Called(torch.hub.load, "x"), "torch.hub.load"),
        (Called(torch.load, "x"), "torch.serialization.load"),
        (Called(__import__("subprocess").Popen, "true"), r"(subprocess|commands)\.Popen"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_calls_of_functions(tmp_path: Path, value: object, name: str, new: bool) -> None:
    """A call of what is no class, or of a class that starts programs, is refused by name alone."""
    with pytest.raises(CheckpointError, match=rf"refers to {name}; nothing was executed"):
        saved(tmp_path, {"args": argparse.Namespace(), "x": value, "w": W}, new)


FORGED = {
    "getitem": (p.named("operator", "getitem") + p.many(b"]", b"K\x00") + b"R", "operator.getitem"),
    "type": (p.named("builtins", "type") + p.many(p.text("X"), b")", b"}") + b"R", "builtins.type"),
    "new of text": (p.text("X") + b")\x81", "the refused pickle operation NEWOBJ at"),
    "new of a list": (p.named("a", "B") + b"]\x81", "the refused pickle operation NEWOBJ at"),
    "keywords": (b"N)}\x92", "the refused pickle operation NEWOBJ_EX"),
    "reconstructor": (p.named("copyreg", "_reconstructor") + b")R", "an object of no class"),
    "reference": (p.named("a", "B") + b"}b", "a state for an object that has none"),
    "factories": (p.named("collections", "defaultdict") + b"NN\x86R", "a defaultdict of more"),
    "counts": (p.named("collections", "Counter") + b"]\x85R", "a Counter of no dict"),
    "deque": (p.named("collections", "deque") + b"N\x85R", "a deque of no list"),
    "tensor class": (
        p.named("torch._tensor", "_rebuild_from_type_v2")
        + p.many(p.named("torch._utils", "_rebuild_tensor_v2"), p.named("a", "B"), b")", b"}")
        + b"R",
        r"refers to a\.B",
    ),
    "long name": (p.text("a" * 2000) + p.text("B") + b"\x93", "or one of over 1024 characters"),
    "many names": (
        b"".join(p.named("a", f"B{i}") + b"0" for i in range(10_001)) + b"N",
        "more than 10000 names",
    ),
    "truncated": (p.named("a", "B") + b")\x81X\xff\xff\xff\xff", "truncated: 2 of"),
}


@pytest.mark.parametrize("case", FORGED)
def test_forged_objects(tmp_path: Path, case: str) -> None:
    """What no pickler writes is refused."""
    body, match = FORGED[case]
    (tmp_path / "m.pt").write_bytes(p.archive(p.whole(p.mapping({"w": p.tensor(), "x": body}))))
    with pytest.raises(CheckpointError, match=match):
        open_checkpoint(tmp_path / "m.pt")


def test_only_objects(tmp_path: Path) -> None:
    """A file without a tensor is refused with the classes that it holds."""
    with pytest.raises(CheckpointError, match=r"refers to argparse\.Namespace; nothing was exec"):
        saved(tmp_path, {"args": argparse.Namespace(lr=1)})
