"""The reader as a whole, against torch.save: every dtype, every view, both formats, refusals."""

from __future__ import annotations

import argparse
import io
import re
import struct
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.checkpoints import pickles as p
from tests.noted import told
from weightscope.checkpoints.checkpoint import Checkpoint
from weightscope.checkpoints.entry import Stored
from weightscope.checkpoints.readers.torch_file import read
from weightscope.dtypes import DTYPES
from weightscope.errors import CheckpointError, UsageError
from weightscope.geometry import whole

DATA = Path(__file__).parents[3] / "shared" / "data"
SHARED = pytest.mark.skipif(not DATA.is_dir(), reason="the shared checkpoints are not here")
FORMATS = pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
TYPES = [
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.uint16,
    torch.uint32,
    torch.uint64,
    torch.bool,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
    torch.float8_e4m3fnuz,
    torch.float8_e5m2fnuz,
    torch.float8_e8m0fnu,
]


def saved(folder: Path, value: object, new: bool = True) -> Checkpoint:
    path = folder / "model.bin"
    torch.save(value, path, _use_new_zipfile_serialization=new)
    return read(str(path))


def value(leaf: Stored) -> torch.Tensor:
    """The elements that offset and strides say, as bytes of one element each."""
    width, raw = DTYPES[leaf.dtype].bits // 8, Path(leaf.file).read_bytes()
    last = (
        1 + sum((d - 1) * s for d, s in zip(leaf.matrix, leaf.steps, strict=True))
        if leaf.params
        else 0
    )
    run = torch.frombuffer(
        bytearray(raw[leaf.offset : leaf.offset + last * width] or b"\0"), dtype=torch.uint8
    )
    rows = run[: last * width].reshape(last, width)
    if leaf.swapped:
        rows = rows.flip(1)
    steps = (*(width * s for s in leaf.steps), 1)
    return rows.contiguous().as_strided((*leaf.matrix, width), steps).reshape(*leaf.dims, width)


def bits(tensor: torch.Tensor) -> torch.Tensor:
    return (
        tensor.contiguous()
        .reshape(-1)
        .view(torch.uint8)
        .reshape(*tensor.shape, tensor.element_size())
    )


def made(dtype: torch.dtype) -> torch.Tensor:
    raw = torch.randint(
        0, 2 if dtype == torch.bool else 256, (6, 8, dtype.itemsize), dtype=torch.uint8
    )
    return raw.view(dtype).reshape(6, 8)


@FORMATS
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_dtypes(tmp_path: Path, dtype: torch.dtype, new: bool) -> None:
    """Every element type comes back bit for bit from its place in the file."""
    w = made(dtype)
    (leaf,) = saved(tmp_path, {"w": w}, new).tensors
    assert (leaf.dims, leaf.strides, leaf.measurable, leaf.swapped) == ((6, 8), None, True, False)
    assert torch.equal(value(leaf), bits(w))


VIEWS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "transposed": lambda w: w.T,
    "strided": lambda w: w[::2, 1::3],
    "offset": lambda w: w[2:, :],
    "one column": lambda w: w[:, 3],
    "expanded": lambda w: w[0, 0].expand(3, 4),
    "scalar": lambda w: w[1, 1],
    "cut block": lambda w: w[1:3, 2:5],
    "cube": lambda w: w.reshape(2, 3, 8).permute(2, 0, 1),
    "empty": lambda w: w[:0],
    "unit": lambda w: w[3:4, :].unsqueeze(0),
    "windows": lambda w: w.reshape(-1).unfold(0, 3, 1),
}


@FORMATS
@pytest.mark.parametrize("view", VIEWS)
def test_views(tmp_path: Path, view: str, new: bool) -> None:
    """A view reads its own elements of the storage, in its own order."""
    w = VIEWS[view](torch.randn(6, 8))
    (leaf,) = saved(tmp_path, {"w": w}, new).tensors
    assert leaf.dims == tuple(w.shape)
    assert torch.equal(value(leaf), bits(w)) if w.numel() else leaf.params == 0
    assert leaf.measurable
    assert ("expanded" in told(leaf)) == (view in ("expanded", "windows"))


@FORMATS
def test_parameters_and_attributes(tmp_path: Path, new: bool) -> None:
    """Parameters, buffers and tensors with attributes are their data."""
    parameter, plain = torch.nn.Parameter(torch.ones(2)), torch.ones(3)
    marked = torch.nn.Parameter(torch.ones(4))
    marked.tag = plain.tag = 1  # type: ignore[attr-defined]
    state = {"p": parameter, "t": plain, "m": marked, "b": torch.nn.Buffer(torch.ones(5))}
    assert [t.dims for t in saved(tmp_path, state, new).tensors] == [(2,), (3,), (4,), (5,)]


def test_state_dict_of_a_module(tmp_path: Path) -> None:
    """The `_metadata` that a state dict carries is passed over."""
    c = saved(tmp_path, torch.nn.Sequential(torch.nn.Linear(2, 3)).state_dict())
    assert [t.name for t in c.tensors] == ["0.weight", "0.bias"]
    assert (c.notes, c.flags, c.aliases, c.optimizer) == ((), (), {}, frozenset())
    assert c.files[0][1] == Path(c.source).stat().st_size


ODD: dict[str, tuple[Callable[[], torch.Tensor], str]] = {
    "meta": (lambda: torch.zeros(2, 3, device="meta"), "meta tensor: no data"),
    "sparse": (lambda: torch.eye(3).to_sparse(), "sparse layout .torch.sparse_coo"),
    "csr": (lambda: torch.eye(3).to_sparse_csr(), "sparse layout .torch.sparse_csr"),
    "qint8": (
        lambda: torch.quantize_per_tensor(torch.zeros(2, 2), 0.1, 0, torch.qint8),
        "quantised .per_tensor_affine",
    ),
    "nested": (
        lambda: torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)]),
        "nested tensor",
    ),
    "complex": (lambda: torch.zeros(2, dtype=torch.complex64), "complex numbers .complex64"),
    "conj": (
        lambda: torch.zeros(2, dtype=torch.complex128).conj(),
        "^complex numbers .complex128.$",
    ),
    "complex neg": (
        lambda: torch.zeros(2, dtype=torch.complex64)._neg_view(),
        "^complex numbers .complex64.$",
    ),
    "bool neg": (
        lambda: torch.zeros(2, dtype=torch.bool)._neg_view(),
        "^lazy neg bit, which torch does not resolve for BOOL$",
    ),
    "bits": (lambda: torch.empty(2, dtype=torch.bits8), "bit patterns .bits8"),
}


@pytest.mark.parametrize("case", ODD)
def test_unmeasurable(tmp_path: Path, case: str) -> None:
    """Layouts without plain elements are rows with a reason."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls some of these layouts beta
        c = saved(tmp_path, {"w": torch.ones(100), "odd": ODD[case][0]()})
    leaf = c.tensors[1]
    assert not leaf.measurable
    assert c.tensors[0].measurable
    assert re.search(ODD[case][1], told(leaf))


NEGATED: dict[str, Callable[[], torch.Tensor]] = {
    "imaginary part": lambda: torch.imag(torch.randn(3, 4, dtype=torch.complex64).conj()),
    "transposed": lambda: torch.randn(3, 4)._neg_view().T,
    "parameter": lambda: torch.nn.Parameter(torch.randn(3, 4)._neg_view()),
    "half": lambda: torch.randn(3, 4).half()._neg_view(),
    "bfloat": lambda: torch.randn(3, 4).bfloat16()._neg_view(),
    "double": lambda: torch.randn(3, 4).double()._neg_view(),
    "bytes": lambda: torch.arange(12, dtype=torch.uint8).reshape(3, 4)._neg_view(),
    "integers": lambda: torch.arange(12, dtype=torch.int16).reshape(3, 4)._neg_view(),
}


@FORMATS
@pytest.mark.parametrize("case", NEGATED)
def test_negated(tmp_path: Path, case: str, new: bool) -> None:
    """A pending negation is carried out when the values are made."""
    w = NEGATED[case]()
    assert w.is_neg()
    (leaf,) = saved(tmp_path, {"w": w}, new).tensors
    (span,) = leaf.needs(whole(leaf.shape))
    offset, length = span.bytes
    raw = torch.frombuffer(
        bytearray(Path(leaf.file).read_bytes()[offset : offset + length]), dtype=torch.uint8
    )
    assert torch.equal(leaf.make(whole(leaf.shape), (span.typed(raw),)), w.detach())
    assert (leaf.measurable, told(leaf)) == (True, "")


def test_negated_is_no_alias(tmp_path: Path) -> None:
    """A tensor and its negative share bytes and are two tensors; the negative twice is one."""
    w = torch.randn(3, 4)
    c = saved(tmp_path, {"w": w, "minus": w._neg_view(), "again": w._neg_view()})
    assert [t.name for t in c.tensors] == ["w", "minus"]
    assert c.aliases == {"again": "minus"}


def with_metadata(metadata: bytes) -> bytes:
    """A file of one tensor, 0 to 5 in float32, with these pickled metadata."""
    body = (
        p.named("torch._utils", "_rebuild_tensor_v2")
        + p.many(
            p.storage("0", 6),
            p.number(0),
            p.many(p.number(2), p.number(3)),
            p.many(p.number(3), p.number(1)),
            b"\x89",
            b"}",
            metadata,
        )
        + b"R"
    )
    data = np.arange(6, dtype=np.float32).tobytes()
    return p.archive(p.whole(p.mapping({"w": body})), {"data/0": data})


METADATA = {
    "True": (p.mapping({"neg": b"\x88"}), True),
    "False": (p.mapping({"neg": b"\x89"}), True),
    "0": (p.mapping({"neg": p.number(0)}), True),
    "None": (p.mapping({"neg": b"N"}), True),
    "bytes": (b"}(C\x03neg\x89u", True),
    "another": (p.mapping({"other": b"\x88"}), False),
    "empty": (b"}", False),
    "no dict": (b"]", False),
}


@pytest.mark.parametrize("case", METADATA)
def test_metadata_as_torch_reads_them(tmp_path: Path, case: str) -> None:
    """The key `neg` negates a tensor whatever its value, as torch itself loads the file."""
    metadata, negated = METADATA[case]
    path = tmp_path / "m.pt"
    path.write_bytes(with_metadata(metadata))
    (leaf,) = read(str(path)).tensors
    theirs = torch.load(path, weights_only=False)["w"]
    assert (leaf.negated, theirs.is_neg()) == (negated, negated)
    assert theirs[1, 2] == (-5 if negated else 5)


@pytest.mark.parametrize(
    ("metadata", "match"),
    [
        (b"](K\x01e", "metadata of a tensor that is no dict of flags"),
        (p.mapping({"neg": p.text("x")}), "metadata of a tensor that is no dict of flags"),
        (b"}(K\x01\x88u", "metadata of a tensor that is no dict of flags"),
        (p.mapping({f"k{i}": b"\x88" for i in range(17)}), "no dict of flags"),
        (p.mapping({"conj": b"\x89"}), "a conjugated tensor of numbers that are not complex"),
    ],
    ids=["list", "text", "number", "many", "conj"],
)
def test_metadata_that_torch_refuses(tmp_path: Path, metadata: bytes, match: str) -> None:
    """Metadata with which torch loads no file, and a dict of many keys, are refused."""
    refusal(tmp_path, with_metadata(metadata), match)


@pytest.mark.parametrize(
    ("dtype", "name"),
    [(torch.complex32, "C32"), (torch.complex64, "C64"), (torch.complex128, "C128")],
)
@pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental")
def test_complex_bytes(tmp_path: Path, dtype: torch.dtype, name: str) -> None:
    """Complex tensors are listed under their own type, with the bytes they take."""
    w = torch.zeros(3, 4, dtype=dtype)
    (leaf,) = saved(tmp_path, {"w": w}).tensors
    assert (leaf.dtype, leaf.nbytes, leaf.measurable) == (name, w.nbytes, False)


def test_four_bit_pairs(tmp_path: Path) -> None:
    """Two 4-bit numbers share a byte: the last dimension counts numbers."""
    (leaf,) = saved(
        tmp_path, {"w": torch.zeros(2, 3, dtype=torch.uint8).view(torch.float4_e2m1fn_x2)}
    ).tensors
    assert (leaf.dims, leaf.dtype, leaf.nbytes, leaf.measurable) == ((2, 6), "F4", 6, True)


def test_four_bit_strided(tmp_path: Path) -> None:
    """A strided view of packed pairs is not read."""
    raw = torch.zeros(2, 3, dtype=torch.uint8).view(torch.float4_e2m1fn_x2)
    (leaf,) = saved(tmp_path, {"w": raw.t()}).tensors
    assert (leaf.measurable, told(leaf)) == (False, "4-bit numbers in a strided view")


@FORMATS
def test_tied(tmp_path: Path, new: bool) -> None:
    """Two names of one tensor are one tensor and an alias."""
    w = torch.randn(4, 4)
    c = saved(tmp_path, {"embed": w, "head": w, "other": torch.randn(2)}, new)
    assert [t.name for t in c.tensors] == ["embed", "other"]
    assert c.aliases == {"head": "embed"}
    assert c.flags == ()


def test_overlap(tmp_path: Path) -> None:
    """Different views of the same bytes are noted on both and flagged."""
    w = torch.randn(4, 4)
    c = saved(tmp_path, {"a": w, "b": w[1:3], "apart": torch.ones(1)})
    assert [told(t) for t in c.tensors] == ["overlaps or interleaves with another tensor"] * 2 + [
        ""
    ]
    assert c.flags == ("2 tensors overlap or interleave: a, b",)


def test_huge_expansion(tmp_path: Path) -> None:
    """Four bytes that stand for 2**40 elements are not measured."""
    (leaf,) = saved(tmp_path, {"w": torch.zeros(1).expand(1 << 20, 1 << 20)}).tensors
    assert (leaf.measurable, told(leaf)) == (
        False,
        "expanded: 1 stored elements stand for 1099511627776",
    )


def test_big_endian(tmp_path: Path) -> None:
    """The byteorder record says which way round the bytes lie."""
    path = tmp_path / "m.pt"
    raw = struct.pack(">6f", *range(6))
    path.write_bytes(
        p.archive(p.whole(p.mapping({"w": p.tensor()})), {"data/0": raw}, byteorder=b"big")
    )
    (leaf,) = read(str(path)).tensors
    assert leaf.swapped
    assert torch.equal(value(leaf), bits(torch.arange(6.0).reshape(2, 3)))


def test_plain_values_beside_tensors(tmp_path: Path) -> None:
    """Numbers, numpy values, devices, sets and dtypes are passed over."""

    beside = {
        "lr": 0.1,
        "best": np.float64(1),
        "mean": np.zeros(3),
        "on": torch.device("cpu"),
        "size": torch.Size([2]),
        "seen": {1, 2},
        "frozen": frozenset({1}),
        "z": 1j,
        "raw": b"x",
        "grow": bytearray(b"x"),
        "type": torch.float16,
        "layout": torch.strided,
        "flag": None,
        "many": list(range(2000)),
    }
    for new in (True, False):
        assert [t.name for t in saved(tmp_path, {**beside, "w": torch.ones(2)}, new).tensors] == [
            "w"
        ]


@FORMATS
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickle_protocols(tmp_path: Path, protocol: int, new: bool) -> None:
    """Every binary protocol that torch.save takes is read."""
    path = tmp_path / "m"
    torch.save(
        {"w": torch.ones(2), "s": {1}, "f": frozenset({2}), "b": b"x", "e": b""},
        path,
        pickle_protocol=protocol,
        _use_new_zipfile_serialization=new,
    )
    assert [t.name for t in read(str(path)).tensors] == ["w"]


def refusal(tmp_path: Path, raw: bytes, match: str, name: str = "m.pt") -> CheckpointError:
    path = tmp_path / name
    path.write_bytes(raw)
    with pytest.raises(CheckpointError, match=match) as caught:
        read(str(path))
    assert caught.value.expected
    assert caught.value.found
    assert caught.value.advice
    return caught.value


def test_whole_module(tmp_path: Path) -> None:
    """A pickled module is refused by the names of its classes, with the way out."""
    path = tmp_path / "m"
    for new in (True, False):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.save(torch.nn.Linear(2, 2), path, _use_new_zipfile_serialization=new)
        with pytest.raises(
            CheckpointError,
            match=r"torch\.nn\.modules\.linear\.Linear.*save `model\.state_dict\(\)` again",
        ):
            read(str(path))


def test_namespace(tmp_path: Path) -> None:
    """Options pickled beside the weights are not read, and a flag names their class."""

    torch.save({"args": argparse.Namespace(lr=1), "w": torch.ones(2)}, tmp_path / "m")
    checkpoint = read(str(tmp_path / "m"))
    assert [t.name for t in checkpoint.tensors] == ["w"]
    assert [flag for flag in checkpoint.flags if re.search(r"argparse\.Namespace", flag)]


def test_raw_pickle_with_code(tmp_path: Path) -> None:
    """A bare pickle that would call a shell is refused by the names in it, and calls nothing."""
    canary = tmp_path / "canary"
    refusal(tmp_path, p.whole(p.runs(canary)), r"refers to os\.system; nothing was executed")
    refusal(tmp_path, f"cos\nsystem\n(S'touch {canary}'\ntR.".encode(), r"refers to os\.system")
    refusal(tmp_path, p.whole(b"I1\n") + p.whole(p.runs(canary)), r"refers to os\.system")
    assert not canary.exists()


def test_distributed(tmp_path: Path) -> None:
    """The index of a distributed checkpoint comes with the conversion command."""
    raw = p.whole(p.named("torch.distributed.checkpoint.metadata", "Metadata") + b")R")
    refusal(tmp_path, raw, "dcp_to_torch", ".metadata")


def test_deepspeed(tmp_path: Path) -> None:
    """DeepSpeed's optimizer files come with its own conversion script."""
    body = p.mapping(
        {
            "o": p.named("deepspeed.runtime.zero.config", "ZeroStageEnum")
            + p.many(p.number(1))
            + b"R"
        }
    )
    refusal(
        tmp_path,
        p.archive(p.whole(body), {}),
        r"ZeroStageEnum.*zero_to_fp32\.py",
        "bf16_zero_optim_states.pt",
    )


def test_strangers(tmp_path: Path) -> None:
    """Other files are refused with their first bytes."""
    refusal(tmp_path, b"", "found one that begins with b''")
    refusal(tmp_path, b"\x89PNG\r\n\x1a\n", r"begins with b'.x89PNG")


def test_missing_and_special_files(tmp_path: Path) -> None:
    """What is no regular file is refused without being read."""
    with pytest.raises(CheckpointError, match="does not exist"):
        read(str(tmp_path / "none"))
    with pytest.raises(CheckpointError, match="is a folder"):
        read(str(tmp_path))


def test_torch_is_not_loaded(tmp_path: Path) -> None:
    """Headers are read without torch and without numpy."""
    path = p.plain_zip(tmp_path / "m.pt")
    code = (
        "import sys; from weightscope.checkpoints.readers.torch_file import read; "
        f"print(read({str(path)!r}).tensors[0].dims, "
        "'torch' in sys.modules, 'numpy' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert out.stdout == "(2, 3) False False\n"


def hurt(raw: bytes, edits: list[tuple[int, int]], cut: int) -> bytes:
    out = bytearray(raw)
    for at, byte in edits:
        out[at % len(out)] = byte
    return bytes(out[: len(out) - cut])


EDITS = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=6)


@cache
def good(new: bool) -> bytes:
    """A file of one format."""
    file = io.BytesIO()
    torch.save(
        {"state_dict": {"a": torch.ones(2, 3), "b": torch.ones(4).half()}, "epoch": 3},
        file,
        _use_new_zipfile_serialization=new,
    )
    return file.getvalue()


@settings(max_examples=150, deadline=2000)
@given(edits=EDITS, cut=st.one_of(st.just(0), st.integers(0, 200)))
def test_mutations(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, int]], cut: int
) -> None:
    """Whatever bytes change, the answer is tensors inside the file or one refusal."""
    for new in (True, False):
        path = tmp_path_factory.getbasetemp() / f"mutated-{new}"
        path.write_bytes(hurt(good(new), edits, cut))
        tensors: tuple[Stored, ...] = ()
        with suppress(CheckpointError, UsageError):
            tensors = read(str(path)).tensors
        for t in tensors:
            assert 0 <= t.offset <= path.stat().st_size
            assert not t.measurable or t.nbytes <= path.stat().st_size or "expanded" in told(t)


@SHARED
@pytest.mark.parametrize(
    ("name", "tensors", "first"),
    [
        ("resnet_cifar/resnet20-12fca82f.th", 97, "module.conv1.weight"),
        ("resnet_cifar/resnet56-4bfd9763.th", 277, "module.conv1.weight"),
        ("rfb320/version-RFB-320.pth", 244, "base_net.0.0.weight"),
        ("onet/onet.pt", 21, "conv1.weight"),
    ],
)
def test_shared(name: str, tensors: int, first: str) -> None:
    """Real legacy files open, and every tensor equals what torch itself loads."""
    c = read(str(DATA / name))
    theirs = torch.load(DATA / name, weights_only=True, map_location="cpu")
    theirs = theirs.get("state_dict", theirs)
    assert (len(c.tensors), c.tensors[0].name) == (tensors, first)
    assert all(torch.equal(value(t), bits(theirs[t.name])) for t in c.tensors)


@SHARED
def test_shared_module() -> None:
    """A real pickled module is refused, naming its class."""
    with pytest.raises(CheckpointError, match=r"src\.deep_q_network\.DeepQNetwork"):
        read(str(DATA / "whole_module" / "tetris"))
