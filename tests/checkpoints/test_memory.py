"""A dict of tensors as a checkpoint."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from tests.noted import told
from weightscope.checkpoints import Checkpoint, Opening, Span, lines_in_memory, open_checkpoint
from weightscope.checkpoints.readers.memory import TORCH_NAMES
from weightscope.dtypes import DTYPES
from weightscope.errors import CheckpointError, UsageError


def test_state_dict() -> None:
    """A module's state dict is a checkpoint with natural order and safetensors names."""
    found = open_checkpoint(torch.nn.Linear(3, 2).state_dict())
    assert [(t.name, t.dims, t.dtype) for t in found.tensors] == [
        ("bias", (2,), "F32"),
        ("weight", (2, 3), "F32"),
    ]
    assert (found.source, found.files) == ("memory", ())


def test_tied() -> None:
    """Tensors that share storage and form are counted once."""
    shared = torch.randn(4, 3)
    found = open_checkpoint(
        {
            "embed": shared,
            "head": shared.view(4, 3),
            "t": shared.T,
            "e": torch.zeros(0),
            "f": torch.zeros(0),
        }
    )
    assert found.aliases == {"head": "embed"}
    assert [t.name for t in found.tensors] == ["e", "embed", "f", "t"]


@pytest.mark.parametrize(
    "spelling", [n for n in TORCH_NAMES if "complex" not in n and n != "float4_e2m1fn_x2"]
)
def test_types(spelling: str) -> None:
    """Every type arrives in the type that stores its bits, without a copy, also transposed."""
    value = torch.ones(3, 2).to(getattr(torch, spelling)).T
    leaf = open_checkpoint({"w": value}).tensors[0]
    lines = lines_in_memory(Span(leaf, 0, leaf.shape[leaf.cut]))
    assert leaf.dtype == TORCH_NAMES[spelling]
    assert lines.dtype == getattr(torch, DTYPES[leaf.dtype].store)
    assert leaf.tensor.data_ptr() == value.data_ptr()
    assert leaf.cut == 1


def test_unmeasured() -> None:
    """Tensors without measurable values are listed with the reason."""
    notes = {
        t.name: (t.measurable, told(t))
        for t in open_checkpoint(
            {
                "meta": torch.empty(2, device="meta"),
                "sparse": torch.eye(2).to_sparse(),
                "complex": torch.zeros(2, dtype=torch.complex64),
                "conj": torch.zeros(2, dtype=torch.complex128).conj(),
                "neg": torch.zeros(2, dtype=torch.bool)._neg_view(),
                "rank": torch.zeros(1).as_strided([1] * 64, [1] * 64),
                "f4": torch.zeros(2, 2, dtype=torch.uint8).view(torch.float4_e2m1fn_x2),
                "wide": torch.zeros(1, 3).expand(2, 3),
            }
        ).tensors
    }
    assert notes["meta"] == (False, "no data: a meta tensor")
    assert notes["sparse"] == (False, "sparse layout: sparse_coo")
    assert notes["complex"] == (False, "complex numbers (C64) are not measured")
    assert notes["conj"] == (False, "complex numbers (C128) are not measured")
    assert notes["neg"] == (False, "lazy neg bit, which torch does not resolve for BOOL")
    assert notes["f4"] == (False, "packed half-byte values are measured from files only")
    assert notes["rank"] == (True, "")
    assert notes["wide"] == (True, "expanded: one stored value stands for many")


@pytest.mark.parametrize(
    "value",
    [
        torch.imag(torch.arange(6).reshape(2, 3).to(torch.complex64).mul(1j).conj()),
        torch.ones(3, 2).bfloat16()._neg_view().T,
        torch.arange(6, dtype=torch.uint8).reshape(2, 3)._neg_view(),
    ],
)
def test_negated(value: torch.Tensor) -> None:
    """A pending negation is carried out on the lines that are taken, in the storage type."""
    assert value.is_neg()
    leaf = open_checkpoint({"w": value}).tensors[0]
    lines = lines_in_memory(Span(leaf, 1, 2))
    assert torch.equal(lines, value.resolve_neg().narrow(leaf.cut, 1, 1))
    assert (lines.is_neg(), leaf.measurable, told(leaf)) == (False, True, "")


def test_negated_is_no_alias() -> None:
    """A tensor and its negative, or its conjugate, share their elements and are two tensors."""
    w, z = torch.ones(2), torch.ones(2, dtype=torch.complex64)
    found = open_checkpoint(
        {"w": w, "minus": w._neg_view(), "z": z, "conjugate": z.conj(), "tied": w.view(2)}
    )
    assert found.aliases == {"tied": "w"}


def test_others_are_left_out() -> None:
    """Values that are no tensors, or of an unknown type, are noted; odd keys are flags."""
    found = open_checkpoint(
        {"w": torch.zeros(2), "step": 3, "z": torch.empty(1, dtype=torch.bits8), 7: torch.zeros(1)}
    )
    assert found.notes == ("left out, not tensors of a known type: step (int), z (torch.bits8)",)
    assert found.flags == ("the key '7' is a int, not a string",)
    assert [t.name for t in found.tensors] == ["7", "w"]


def test_root() -> None:
    """`root` names the inner dict."""
    nested = {"model": {"w": torch.zeros(2)}, "epoch": 1}
    assert open_checkpoint(nested, Opening(root="model")).tensors[0].name == "w"
    with pytest.raises(
        UsageError, match="a dict under 'modle'; found model, epoch; name one of these"
    ):
        open_checkpoint(nested, Opening(root="modle"))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            {"model": {"w": torch.zeros(2)}, "epoch": 1},
            r"model \(dict\), epoch \(int\); name the inner dict with root",
        ),
        (
            {"w": np.zeros((2, 2), np.float32)},
            r"w \(ndarray\); torch\.from_numpy\(array\) makes a tensor of an array",
        ),
        (
            {"step": 3, "z": torch.empty(1, dtype=torch.bits8)},
            r"step \(int\), z \(torch\.bits8\); pass model\.state_",
        ),
        ({f"a{i}": i for i in range(12)}, r"a9 \(int\) and 2 more; pass model\.state_dict\(\)"),
        ({}, r"an empty one; pass model\.state_dict\(\)"),
    ],
)
def test_no_tensors(source: dict[str, Any], said: str) -> None:
    """What is there instead, and how it becomes a dict of tensors."""
    with pytest.raises(CheckpointError, match=f"expected a dict of torch tensors; found .*{said}"):
        open_checkpoint(source)


def test_numpy_lends_its_strides() -> None:
    """Zero strides of an empty array repeat nothing; strides of a transposed one count."""
    found = open_checkpoint(
        {
            "e": torch.from_numpy(np.zeros((5, 0), np.float32)),
            "t": torch.from_numpy(np.ones((3, 2), np.float32).T),
        }
    )
    assert [(t.dims, told(t), t.strides) for t in found.tensors] == [
        ((5, 0), "", None),
        ((2, 3), "", (1, 2)),
    ]


def test_open_checkpoint_passes_through() -> None:
    """An open checkpoint is its own source."""
    found = Checkpoint("x", ())
    assert open_checkpoint(found) is found
