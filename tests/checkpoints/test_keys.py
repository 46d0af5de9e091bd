"""Dict keys that are no text, as names of tensors: alone, in a file of either format, in memory."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from weightscope.checkpoints import limits, open_checkpoint
from weightscope.checkpoints.readers.keys import decoded, name_of
from weightscope.checkpoints.readers.torch_values import Encoded, Inert, Kind
from weightscope.errors import CheckpointError

KEYS: list[tuple[Any, str]] = [
    ("w", "w"),
    (b"w", "w"),
    (b"caf\xc3\xa9", "caf\xe9"),
    (b"caf\xe9", "caf\xe9"),
    (7, "7"),
    (1.5, "1.5"),
    (True, "True"),
    (None, "None"),
    ((0, "w"), "(0, 'w')"),
    ((b"w", None), "(w, None)"),
    ((), "()"),
]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        *KEYS,
        (Encoded("caf\xc3\xa9"), "caf\xe9"),
        (Encoded("caf\xe9"), "caf\xe9"),
        (Encoded("\u4e2d"), "\\u4e2d"),
        (Inert("torch.device"), "torch.device"),
        ((Inert("torch.device"), 3), "(torch.device, 3)"),
        (Kind("BF16", 2), "BF16"),
    ],
)
def test_names(key: object, name: str) -> None:
    """Bytes are decoded, numbers and None are written out, records are named by their function."""
    assert name_of(key) == name


@pytest.mark.parametrize(
    "key", [b"x" * 10**6, b"\xff" * 10**6, Encoded("\xc3\xa9" * 10**6), ("x" * 10**6, "x")]
)
def test_long_keys_stay_over_the_limit(key: object) -> None:
    """Cutting a key before it is decoded makes no short name of a long one."""
    assert limits.NAME < len(name_of(key)) < 5 * limits.NAME


def test_bytes_that_are_no_utf8() -> None:
    """Any bytes are text in latin-1."""
    assert decoded(bytes(range(256))) == "".join(map(chr, range(256)))


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize(("key", "name"), KEYS)
def test_keys_of_a_file(tmp_path: Path, key: object, name: str, new: bool, protocol: int) -> None:
    """Whatever the key, the tensor has a name that says it, and a flag that it was no text."""
    torch.save(
        {key: torch.ones(2), "other": torch.ones(3)},
        tmp_path / "m.pt",
        pickle_protocol=protocol,
        _use_new_zipfile_serialization=new,
    )
    found = open_checkpoint(tmp_path / "m.pt")
    flag = "1 tensors have keys that are not strings: converted to text"
    assert {t.name for t in found.tensors} == {name, "other"}
    assert found.flags == (() if isinstance(key, str) else (flag,))


class Part(enum.IntEnum):
    """A key that no state dict may ask for."""

    FIRST = 0


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    ("keys", "names"),
    [
        ([b"a", b"b"], ["a", "b"]),
        ([b"", b"b"], ["", "b"]),
        ([torch.device("cpu"), torch.device("meta")], ["(torch.device, 0)", "(torch.device, 1)"]),
        ([np.int64(0), np.int64(1)], [f"(numpy._core.multiarray.scalar, {i})" for i in range(2)]),
        ([("a", 1j), ("a", 2j)], ["('a', builtins.complex, 0)", "('a', builtins.complex, 1)"]),
        ([torch.float16, torch.float32], ["F16", "F32"]),
    ],
)
def test_no_tensor_is_lost(
    tmp_path: Path, keys: list[Any], names: list[str], protocol: int
) -> None:
    """Keys that are told apart where they were written are told apart here."""
    torch.save(
        {key: torch.ones(i + 1) for i, key in enumerate(keys)},
        tmp_path / "m.pt",
        pickle_protocol=protocol,
    )
    found = open_checkpoint(tmp_path / "m.pt")
    assert sorted((t.dims, t.name) for t in found.tensors) == [
        ((i + 1,), name) for i, name in enumerate(names)
    ]


def test_a_class_as_key(tmp_path: Path) -> None:
    """A key of a class of its own is refused with its name."""
    torch.save({Part.FIRST: torch.ones(1)}, tmp_path / "m.pt")
    with pytest.raises(CheckpointError, match=r"refers to .*test_keys\.Part; nothing was executed"):
        open_checkpoint(tmp_path / "m.pt")


@pytest.mark.parametrize(("key", "name"), KEYS)
def test_keys_in_memory(key: object, name: str) -> None:
    """The same names as from a file, and a flag."""
    found = open_checkpoint({key: torch.ones(2)})  # type: ignore[dict-item]  # what scripts pass all the same
    assert [t.name for t in found.tensors] == [name]
    assert bool(found.flags) != isinstance(key, str)


def test_keys_that_become_one_name() -> None:
    """Two tensors of one name are refused, in memory as in a file."""
    with pytest.raises(
        CheckpointError, match="expected one tensor per name; found two named 0; pass unique keys"
    ):
        open_checkpoint({0: torch.ones(2), "0": torch.ones(3)})  # type: ignore[dict-item]  # as above
