"""The header parser against hostile headers, and against the format's own library."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from tests.checkpoints.corpus import built, entry, framed, packed, write, zeros
from tests.noted import told
from weightscope.checkpoints import Checkpoint, Opening, open_checkpoint
from weightscope.checkpoints.files import read_bytes
from weightscope.checkpoints.readers.safetensors_header import doubled
from weightscope.errors import CheckpointError, WeightscopeError

GOOD = entry()
ONE = json.dumps({"w": GOOD}).encode()
META = json.dumps(GOOD).encode()


def opened(folder: Path, data: bytes, **how: bool) -> Checkpoint:
    return open_checkpoint(write(folder / "x.safetensors", data), Opening(**how))


REFUSED = {  # what is wrong -> (bytes, what the message must say)
    "01 empty": (b"", "expected a checkpoint .*; found an empty file"),
    "02 short": (b"\x01\x02", "found the file has 2 bytes"),
    "03 zero length": (bytes(8), "expected a header; found length 0 announced at byte 0"),
    "04 length 2^63": (
        framed(b"{}", length=1 << 63),
        "9223372036854775808 announced at byte 0, over the format limit",
    ),
    "05 length over": (
        framed(b"{}", length=100_000_001),
        "at most 100000000 bytes.*over the format limit",
    ),
    "06 length past end": (
        framed(b"{}", length=1000),
        "expected a header of 1000 bytes; found truncated: 2 of 1000",
    ),
    "07 not UTF-8": (framed(b'{"\xff\xff": 1}'), "bytes that are not UTF-8 at byte 10"),
    "08 byte order mark": (framed(b"\xef\xbb\xbf{}"), "a byte order mark at byte 8"),
    "09 not JSON": (framed(b"{nonsense}"), "expected valid JSON; found .* at byte 9"),
    "09 constant": (framed(b'{"w": NaN}'), "the constant NaN, which JSON does not have"),
    "09 endless integer": (
        framed(b'{"w": ' + b"9" * 5000 + b"}"),
        "expected valid JSON; found Exceeds the limit",
    ),
    "10 array": (framed(b"[1, 2]"), "expected a JSON object as header; found an array at byte 8"),
    "13 NUL padding": (
        framed(ONE + b"\0\0", bytes(24)),
        "expected valid JSON; found Extra data at byte",
    ),
    "14 twice, one span": (
        packed(("w", GOOD), ("w", entry("F16", (4, 3)))),
        "every name once.*'w' twice",
    ),
    "15 twice, two spans": (
        packed(("w", GOOD), ("w", entry(offsets=(24, 48))), payload=bytes(48)),
        "'w' twice",
    ),
    "16 field twice": (
        framed(b'{"w":' + META[:-1] + b',"dtype":"F16"}}', bytes(24)),
        "every field once.*'dtype' twice",
    ),
    "18 metadata twice": (framed(b'{"__metadata__":{},"__metadata__":{}}'), "'__metadata__' twice"),
    "19 metadata number": (
        built({"__metadata__": {"a": 1}}),
        "to be a string; found a number under 'a' at byte",
    ),
    "19 metadata nested": (
        built({"__metadata__": {"a": {}}}),
        "to be a string; found an object under 'a'",
    ),
    "19 metadata array": (
        built({"__metadata__": []}),
        "__metadata__ to be an object; found an array at byte",
    ),
    "21 dtype F99": (
        built({"w": entry("F99")}),
        'a dtype of the format .*found dtype "F99" .byte 9',
    ),
    "21 dtype C128": (
        built({"w": entry("C128", [1], [0, 16])}),
        'a dtype of the format .*found dtype "C128"',
    ),
    "21 dtype lower": (built({"w": entry("f32")}), 'found dtype "f32"'),
    "21 dtype empty": (built({"w": entry("")}), 'found dtype ""'),
    "21 dtype number": (built({"w": entry(1)}), "found dtype 1"),
    "21 dtype object": (built({"w": entry({})}), "found dtype an object"),
    "23 no shape": (
        built({"w": {"dtype": "F32", "data_offsets": [0, 24]}}),
        "a field 'shape'; found none",
    ),
    "23 no dtype": (built({"w": {"shape": [2], "data_offsets": [0, 24]}}), "a field 'dtype'"),
    "23 no offsets": (built({"w": {"dtype": "F32", "shape": [2]}}), "a field 'data_offsets'"),
    "23 no object": (
        built({"w": 3}),
        "an object with dtype, shape and data_offsets; found a number",
    ),
    "24 negative shape": (
        built({"w": entry(shape=[-2, 3])}),
        r"non-negative integers; found shape \[-2, 3\]",
    ),
    "24 float shape": (built({"w": entry(shape=[2.0, 3])}), r"found shape \[2.0, 3\]"),
    "24 boolean shape": (built({"w": entry(shape=[True, 6])}), r"found shape \[true, 6\]"),
    "25 negative offset": (
        built({"w": entry(offsets=[-24, 0])}),
        r"two non-negative integers .*\[-24, 0\]",
    ),
    "26 three offsets": (built({"w": entry(offsets=[0, 24, 48])}), r"found \[0, 24, 48\]"),
    "26 boolean offset": (built({"w": entry(offsets=[False, 24])}), r"found \[false, 24\]"),
    "26 giant offset": (built({"w": entry(offsets=[0, 1 << 64])}), r"below 2\^64"),
    "27 end first": (
        built({"w": entry(offsets=[24, 0])}),
        r"end after they begin; found \[24, 0\]",
    ),
    "28 same span": (
        built({"a": GOOD, "b": GOOD}),
        "overlap of 24 bytes at byte .*between 'a' and 'b'",
    ),
    "28 part": (built({"a": GOOD, "b": entry(offsets=[12, 36])}, bytes(36)), "overlap of 12 bytes"),
    "29 hole first": (
        built({"a": entry(offsets=[8, 32])}, bytes(32)),
        "hole of 8 bytes .*between 'the header' and 'a'",
    ),
    "29 hole inside": (
        built({"a": GOOD, "b": entry(offsets=[32, 56])}, bytes(56)),
        "hole of 8 bytes at byte",
    ),
    "30 trailing": (
        built({"w": GOOD}, bytes(30)),
        "found 6 trailing bytes after the last tensor .*--salvage",
    ),
    "31 truncated": (
        zeros("a", "b", "c")[:-30],
        "truncated: 42 of 72 bytes present, 58.33 %, 2 tensors affected, b to c",
    ),
    "32 size": (built({"w": entry(shape=[2, 2])}), r"16 bytes for shape \[2, 2\] of F32; found 24"),
    "33 overflow": (
        built({"w": entry(shape=[1 << 40, 1 << 40])}),
        "below 2.64 elements; found overflow",
    ),
    "33 bytes overflow": (built({"w": entry(shape=[1 << 62])}), "below 2.64 bytes; found overflow"),
    "34 overflow, then 0": (
        built({"w": entry(shape=[1 << 40, 1 << 40, 0], offsets=[0, 0])}, b""),
        "found overflow",
    ),
    "38 odd F4": (
        built({"w": entry("F4", [3], [0, 2])}, bytes(2)),
        "whole bytes of F4; found 3 elements of 4 bits",
    ),
    "44 no tensors": (framed(b"{}"), "expected a checkpoint with tensors; found no tensors"),
    "44 metadata only": (built({"__metadata__": {"a": "b"}}, b""), "found no tensors"),
    "48 surrogate": (
        framed(b'{"\\ud800":' + META + b"}", bytes(24)),
        "a lone surrogate escape at byte 10",
    ),
    "49 deep": (
        framed(b'{"w":' + b"[" * 200 + b"]" * 200 + b"}"),
        "JSON of at most 64 levels; found deeper nesting",
    ),
    "49 deep in quotes": (
        framed(b'{"w":' + b'["\\"]",' * 99 + b"1" + b"]" * 99 + b"}"),
        "found deeper nesting",
    ),
    "name too long": (built({"w" * 5000: GOOD}), "names of at most 4096 bytes"),
    "52 LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 4242\n",
        r"a git-LFS pointer \(sha256 (ab){32}, size 4242\); run git lfs pull",
    ),
    "52 HTML": (
        b"<!DOCTYPE html><html>404</html>",
        "found an HTML page: .*download the file again",
    ),
    "52 JSON": (b'{"error": "Entry not found"}', "found a JSON text"),
    "52 XML": (b'<?xml version="1.0"?><Error/>', "found an XML text"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, tmp_path: Path) -> None:
    """A header that breaks a rule is refused whole, naming rule, position and file."""
    data, text = REFUSED[case]
    with pytest.raises(CheckpointError, match=f"(?s)x.safetensors: .*{text}") as fault:
        opened(tmp_path, data)
    assert fault.value.code == 3
    assert fault.value.expected
    assert fault.value.found
    assert fault.value.advice
    assert len(str(fault.value)) < 1000


def test_leading_blank(tmp_path: Path) -> None:
    """Row 11: blanks before the brace are a flag, and refused under --strict."""
    data = framed(b"  " + ONE, bytes(24))
    assert "starts with blank space" in opened(tmp_path, data).flags[0]
    with pytest.raises(CheckpointError, match=r"start with \{; found blank space at byte 8"):
        opened(tmp_path, data, strict=True)


def test_trailing_blanks(tmp_path: Path) -> None:
    """Row 12: alignment padding with spaces is silent."""
    found = opened(tmp_path, framed(ONE + b"     ", bytes(24)))
    assert (found.flags, found.notes, told(found.tensors[0])) == ((), (), "")


def test_metadata_oddities(tmp_path: Path) -> None:
    """Rows 17, 20, 54: doubled keys and null are flags; huge texts are kept."""
    twice = framed(b'{"__metadata__":{"a":"1","a":"2"},' + ONE[1:], bytes(24))
    assert "'a' twice" in opened(tmp_path, twice).flags[0]
    assert opened(tmp_path, twice).metadata == {"a": "2"}
    assert (
        "__metadata__ is null"
        in opened(tmp_path, built({"__metadata__": None, "w": GOOD})).flags[0]
    )
    assert (
        len(opened(tmp_path, built({"__metadata__": {"a": "x" * 10**6}, "w": GOOD})).metadata["a"])
        == 10**6
    )


def test_unknown_field(tmp_path: Path) -> None:
    """Row 22: a field that the format does not know is noted on its tensor, which is measured."""
    leaf = opened(tmp_path, built({"w": entry(origin="x")})).tensors[0]
    assert leaf.measurable
    assert told(leaf) == "unknown field in the header: 'origin'"


def test_salvage(tmp_path: Path) -> None:
    """Rows 30, 31: --salvage keeps whole tensors and says what is missing."""
    cut = opened(tmp_path, zeros("a", "b", "c")[:-30], salvage=True)
    assert [leaf.name for leaf in cut.tensors] == ["a"]
    assert "2 tensors affected" in cut.missing[0]
    more = opened(tmp_path, built({"w": GOOD}, bytes(30)), salvage=True)
    assert len(more.tensors) == 1
    assert "6 trailing bytes" in more.missing[0]
    with pytest.raises(CheckpointError, match="found no tensors: truncated"):
        opened(tmp_path, zeros("a")[:-3], salvage=True)


def test_implausible(tmp_path: Path) -> None:
    """Row 35: a zero that hides an impossible size is noted and nothing is allocated."""
    leaf = opened(
        tmp_path, built({"w": entry(shape=[0, 1 << 40, 1 << 40], offsets=[0, 0])}, b"")
    ).tensors[0]
    assert told(leaf).startswith("implausible shape")
    assert leaf.nbytes == 0


def test_empty_and_scalar(tmp_path: Path) -> None:
    """Rows 36, 37: tensors without elements may share an offset; a scalar is a 1 x 1 matrix."""
    header = {
        "a": entry(shape=[0, 3], offsets=[0, 0]),
        "b": entry(shape=[0], offsets=[0, 0]),
        "s": entry(shape=[], offsets=[0, 4]),
    }
    a, b, s = opened(tmp_path, built(header, bytes(4))).tensors
    assert (a.params, b.params, s.params, s.shape, told(a)) == (0, 0, 1, (1, 1), "")


def test_f4(tmp_path: Path) -> None:
    """Row 39: F4 has the logical shape of the header."""
    leaf = opened(tmp_path, built({"w": entry("F4", [2, 4], [0, 4])}, bytes(4))).tensors[0]
    assert (leaf.shape, leaf.nbytes, leaf.measurable) == ((2, 4), 4, True)


@pytest.mark.parametrize(
    ("dtype", "shape", "size", "note"),
    [
        ("F6_E2M3", [4], 3, "dtype not decodable: F6_E2M3"),
        ("F6_E3M2", [4], 3, "dtype not decodable: F6_E3M2"),
        ("C64", [2], 16, "complex numbers (C64) are not measured"),
        ("U8", [1] * 65, 1, "65 dimensions, at most 64 are measured"),
        ("U8", [1] * 1000, 1, "1000 dimensions, at most 64 are measured"),
    ],
)
def test_skipped(dtype: str, shape: list[int], size: int, note: str, tmp_path: Path) -> None:
    """Rows 40, 42, 50: such a tensor is listed with a note and not measured."""
    leaf = opened(tmp_path, built({"w": entry(dtype, shape, [0, size])}, bytes(size))).tensors[0]
    assert (leaf.measurable, told(leaf)) == (False, note)


@pytest.mark.parametrize(
    "dtype", ["F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "U16", "U32", "U64", "BOOL"]
)
def test_rare_types(dtype: str, tmp_path: Path) -> None:
    """Rows 41, 43: rare types are measured; what BOOL bytes hold is seen when they are read."""
    size = {"U16": 2, "U32": 4, "U64": 8}.get(dtype, 1)
    leaf = opened(tmp_path, built({"w": entry(dtype, [1], [0, size])}, b"\x02" * size)).tensors[0]
    assert (leaf.measurable, told(leaf)) == (True, "")


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("", "empty name"),
        ("a\x1b[31m", "control or invisible characters in the name"),
        ("a\nb", "control or invisible characters in the name"),
        ("a\u202eb", "control or invisible characters in the name"),
        ("../../x", "the name looks like a path"),
        ("/etc/x", "the name looks like a path"),
    ],
)
def test_odd_names(name: str, note: str, tmp_path: Path) -> None:
    """Rows 45-47: a suspicious name is kept as data and noted."""
    leaf = opened(tmp_path, built({name: GOOD})).tensors[0]
    assert (leaf.name, told(leaf), leaf.measurable) == (name, note, True)


def test_refusals_escape_names(tmp_path: Path) -> None:
    """A hostile name reaches a message escaped."""
    with pytest.raises(CheckpointError, match=re.escape("a\\x1b[31m")) as fault:
        opened(tmp_path, built({"a\x1b[31m": entry("F99")}))
    assert "\x1b" not in str(fault.value)


def test_unaligned_and_unordered(tmp_path: Path) -> None:
    """Rows 51, 55: any header length and any order of offsets is read; names in natural order."""
    header = {"h.10": entry(offsets=[0, 24]), "h.2": entry(offsets=[24, 48])}
    found = opened(tmp_path, framed(json.dumps(header).encode() + b" " * 3, bytes(48)))
    assert [leaf.name for leaf in found.tensors] == ["h.2", "h.10"]
    assert found.tensors[0].offset - found.tensors[1].offset == 24


TORCH = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "F8_E8M0": torch.float8_e8m0fnu,
    "F8_E4M3FNUZ": torch.float8_e4m3fnuz,
    "F8_E5M2FNUZ": torch.float8_e5m2fnuz,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U64": torch.uint64,
    "U32": torch.uint32,
    "U16": torch.uint16,
    "U8": torch.uint8,
    "BOOL": torch.bool,
    "C64": torch.complex64,
}


@pytest.mark.parametrize("dtype", TORCH)
@given(shape=st.lists(st.integers(0, 5), max_size=4), seed=st.integers(0, 99))
@settings(max_examples=5, deadline=None)
def test_round_trip(
    dtype: str, shape: list[int], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Names, shapes, dtypes and bytes come back as the format's own library wrote them."""
    width = torch.empty(0, dtype=TORCH[dtype]).element_size()
    raw = torch.randint(
        0, 2, (math.prod(shape) * width,), generator=torch.manual_seed(seed), dtype=torch.uint8
    )
    tensor = raw.view(TORCH[dtype]).reshape(shape)
    path = write(
        tmp_path_factory.getbasetemp() / "r.safetensors", save({"w": tensor, "b": torch.ones(3)})
    )
    b, w = open_checkpoint(path).tensors
    assert (w.name, w.dims, w.dtype, b.dims) == ("w", tuple(shape), dtype, (3,))
    assert read_bytes(path, w.offset, w.nbytes) == bytes(raw.numpy().tobytes())


@given(data=st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_random_bytes(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Random bytes, bare or as a header, raise nothing but our own errors."""
    for content in (data, framed(data), framed(b"{" + data + b"}")):
        attempt(tmp_path_factory, content)


@given(
    spots=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=4),
    cut=st.integers(0, 40),
)
@settings(max_examples=200, deadline=None)
def test_mutated_headers(
    spots: list[tuple[int, int]], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A sound file with any bytes changed or cut opens, or raises nothing but our own errors."""
    data = bytearray(
        built(
            {"__metadata__": {"f": "pt"}, "a.1": GOOD, "b": entry("BF16", [12], [24, 48])},
            bytes(48),
        )
    )
    for spot, value in spots:
        data[spot % len(data)] = value
    attempt(tmp_path_factory, bytes(data[: len(data) - cut]))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 1 << 70)
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["F32", "U8"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["dtype", "shape", "data_offsets", "x"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


SIZES = st.lists(st.integers(0, 9), max_size=2)
ENTRIES = st.fixed_dictionaries(  # most reach the checks of every field
    {
        "dtype": st.sampled_from(["F32", "U8"]) | JSON,
        "shape": SIZES | JSON,
        "data_offsets": SIZES | JSON,
    }
)


@given(
    header=st.dictionaries(
        st.sampled_from(["__metadata__", "a", "b.1", ""]), ENTRIES | JSON, max_size=4
    )
)
@settings(max_examples=150, deadline=None)
def test_any_json_header(
    header: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A header of any JSON whatever raises nothing but our own errors."""
    attempt(tmp_path_factory, framed(json.dumps(header).encode(), bytes(8)))


def attempt(where: pytest.TempPathFactory, data: bytes) -> None:
    """Open; only a refusal may be raised, and no tensor reaches beyond the file."""
    path = write(where.getbasetemp() / "h.safetensors", data)
    try:
        found = open_checkpoint(path)
    except WeightscopeError:
        return
    assert all(leaf.offset + leaf.nbytes <= len(data) for leaf in found.tensors)


BOUNDED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (250 << 20, 250 << 20))
resource.setrlimit(resource.RLIMIT_CPU, (4, 4))
from weightscope.checkpoints import open_checkpoint
from weightscope.errors import WeightscopeError
for path in sys.argv[1:]:
    try:
        print(len(open_checkpoint(path).tensors))
    except WeightscopeError as fault:
        print(str(fault).replace(path, "FILE"))
assert "torch" not in sys.modules and "numpy" not in sys.modules
"""


def test_bounded(tmp_path: Path) -> None:
    """Rows 4, 5, 31, 35, 49, 53: no header makes opening hang, exceed memory or load torch."""
    many = ",".join(
        f'"m.{i}":{{"dtype":"U8","shape":[1],"data_offsets":[{i},{i + 1}]}}' for i in range(15_000)
    )
    cases = {
        "announced": framed(b"{}", length=99_999_999),
        "deep": framed(b'{"a":' + b"[" * 200_000),
        "closed": framed(b"[" * 100_000 + b"]" * 100_000),
        "many": framed(f"{{{many}}}".encode(), bytes(15_000)),
        "huge": built({"w": entry("U8", [1 << 50], [0, 1 << 50])}),
        "zero": built({"w": entry(shape=[0, 1 << 40, 1 << 40], offsets=[0, 0])}, b""),
        "text": built({"__metadata__": {"a": '\\"[' * 2_000_000}, "w": GOOD}),
    }
    paths = [write(tmp_path / f"{name}.safetensors", data) for name, data in cases.items()]
    run = subprocess.run(
        [sys.executable, "-c", BOUNDED, *paths], capture_output=True, text=True, timeout=60
    )
    assert run.stderr == ""
    announced, deep, closed, *numbers = run.stdout.splitlines()
    assert "truncated: 2 of 99999999 present" in announced
    assert "at most 64 levels" in deep
    assert "at most 64 levels" in closed
    assert numbers[0] == "15000"
    assert "truncated: 24 of 1125899906842624 bytes present" in numbers[1]
    assert numbers[2:] == ["1", "1"]


def test_too_many_tensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of tensors is limited, and the limit named."""
    monkeypatch.setattr("weightscope.checkpoints.limits.TENSORS", 2)
    with pytest.raises(CheckpointError, match="at most 2 tensors; found 3"):
        opened(tmp_path, zeros("a", "b", "c"))


def test_doubled() -> None:
    """Every further mention of a name is listed."""
    assert doubled(["a", "b", "a", "a"]) == ["a", "a"]
