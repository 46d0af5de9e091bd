"""The interpreter: values it builds, calls it refuses, and that nothing it is fed ever runs."""

from __future__ import annotations

import pickle
import pickletools
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.checkpoints import pickles as p
from weightscope.checkpoints.readers import machine
from weightscope.checkpoints.readers.keys import Key
from weightscope.checkpoints.readers.raw_file import opened
from weightscope.checkpoints.readers.torch_values import Found, Inert, Kind, Storage
from weightscope.checkpoints.readers.unpickler import unpickle
from weightscope.errors import CheckpointError


def loaded(folder: Path, data: bytes) -> tuple[object, dict[str, Storage]]:
    path = folder / "p"
    path.write_bytes(data)
    seen: dict[str, Storage] = {}
    value, end = unpickle(opened(str(path)), 0, len(data), seen)
    assert end == len(data)
    return value, seen


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(-9, 9), inner)
    ),
    max_leaves=30,
)


@settings(max_examples=25, deadline=None)
@given(value=PLAIN)
def test_plain_values(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    """Plain values come back as Python pickles them, in every binary protocol."""
    folder = tmp_path_factory.getbasetemp()
    for protocol in (2, 3, 4, 5):
        assert pythonic(loaded(folder, pickle.dumps(value, protocol))[0]) == value, protocol


def pythonic(value: object) -> object:
    """Keys as Python has them."""
    match value:
        case dict():
            return {
                key.value if isinstance(key, Key) else key: pythonic(inner)
                for key, inner in value.items()
            }
        case list():
            return [pythonic(inner) for inner in value]
        case tuple():
            return tuple(pythonic(inner) for inner in value)
    return value


def test_shared_and_bytes(tmp_path: Path) -> None:
    """The memo keeps identity, bytes are bytes, long texts and integers fit."""
    part: list[int] = [1]
    value: Any = loaded(
        tmp_path, pickle.dumps([part, part, b"x" * 300, "y" * 300, 1 << 3000, -5], 4)
    )[0]
    assert value == [part, part, b"x" * 300, "y" * 300, 1 << 3000, -5]
    assert value[0] is value[1]


def test_ordered_dicts_and_sets(tmp_path: Path) -> None:
    """Ordered dicts are dicts; sets stay unopened."""
    value = OrderedDict(a=1, b=OrderedDict(c=2))
    assert loaded(tmp_path, pickle.dumps(value, 2))[0] == {"a": 1, "b": {"c": 2}}
    assert loaded(tmp_path, pickle.dumps(({1, 2}, frozenset({3})), 4))[0] == (
        Inert("builtins.set"),
        Inert("builtins.frozenset"),
    )


def test_old_operations(tmp_path: Path) -> None:
    """Python 2, early protocols: byte texts, LIST, DICT, POP, POP_MARK, pairs of an OrderedDict."""
    body = b"(U\x01aT\x01\x00\x00\x00\xe9lN0(N1(U\x01kK\x05d\x86"
    assert loaded(tmp_path, p.whole(body))[0] == (["a", "\xe9"], {"k": 5})
    pairs = b"]" + p.many(p.text("k"), b"K\x07") + b"a"
    assert loaded(tmp_path, p.whole(p.named("collections", "OrderedDict") + pairs + b"\x85R"))[
        0
    ] == {"k": 7}
    assert loaded(tmp_path, p.whole(b"(N(0t"))[0] == (None,)


def test_tensor(tmp_path: Path) -> None:
    """A rebuilt tensor is a record of where it lies."""
    value, seen = loaded(tmp_path, p.whole(p.tensor(size=(3, 2), stride=(1, 3))))
    held = Storage("0", Kind("F32", 4), 24)
    assert (value, seen) == (Found(Kind("F32", 4), (3, 2), held, 0, (1, 3)), {"0": held})


def call(name: str, *args: bytes) -> bytes:
    return p.named("torch._utils", name) + p.many(*args) + b"R"


def view(*args: bytes) -> bytes:
    return call("_rebuild_tensor", *args)


ONE, S = p.many(p.number(1)), p.storage("0", 6)
FORGED = {
    "text is no call": (p.text("x") + b")R", "a call of str, which nothing may call,"),
    "a word is no call": (p.named("torch", "Tensor") + b")R", r"a call of torch\.Tensor"),
    "arguments are no tuple": (p.named("torch", "Size") + b"]R", r"a call of torch\.Size"),
    "a kind is no call": (p.named("torch", "FloatStorage") + b")R", "a call of Kind"),
    "state for a list": (b"]}b", "a state for an object that has none"),
    "state that is no dict": (b"}]b", "a state for an object that has none"),
    "state for a tensor": (p.tensor() + b"}b", "a state for an object that has none"),
    "items for a list": (b"]NNs", "items for a value of another type than dict"),
    "items for a dict": (b"}Na", "items for a value of another type than list"),
    "items for a tuple": (b")(Ne", "items for a value of another type than list"),
    "items for no set": (b"](N\x90", "items for a value of another type than Inert"),
    "a list as key": (b"}]Ns", "a dict key of type list"),
    "a nested key": (b"}" + b"N\x85\x85" + b"Ns", "a dict key of type tuple"),
    "a long key": (b"}" + b"\x8a\x09" + bytes(8) + b"\x01Ns", "a dict key of type int"),
    "odd items": (b"}(Nu", "a broken pickle operation SETITEMS"),
    "nothing on the stack": (b"R", "a broken pickle operation REDUCE at byte 2"),
    "no mark": (b"t", "a broken pickle operation TUPLE"),
    "short tuple": (b"N\x86", "a broken pickle operation TUPLE2"),
    "mark hides": (b"N(\x85", "a broken pickle operation TUPLE1"),
    "memo": (b"h\x05", "a broken pickle operation BINGET"),
    "empty memo": (b"q\x00", "a broken pickle operation BINPUT"),
    "not UTF-8": (b"X\x01\x00\x00\x00\xff", "a broken pickle operation BINUNICODE"),
    "not an operation": (b"\xfe", r"no pickle operation \(0xfe\)"),
    "extension": (b"\x82\x01", "refers to extension 1; nothing was executed"),
    "inst": (b"(ios\nsystem\n", r"refers to os\.system"),
    "obj": (b"(No", "the refused pickle operation OBJ"),
    "newobj": (p.named("torch", "Size") + b")\x81", "the refused pickle operation NEWOBJ at"),
    "persistent text": (b"Pstorage\n", "the refused pickle operation PERSID"),
    "persistent number": (b"K\x01Q", "a persistent id that is not a storage"),
    "persistent module": (
        p.many(p.text("module"), b"N", b"N", b"N") + b"Q",
        "a persistent id that is not a storage",
    ),
    "persistent dtype": (
        p.many(p.text("storage"), b"N", p.text("0"), p.text("cpu"), b"K\x01") + b"Q",
        "a persistent id that is not a storage",
    ),
    "negative storage": (p.storage("0", -1), "a persistent id that is not a storage"),
    "two sizes": (
        p.storage("0", 6) + p.storage("0", 7) + b"\x86",
        "two sizes or types for the storage 0",
    ),
    "two types": (
        p.storage("0", 6) + p.storage("0", 6, "IntStorage") + b"\x86",
        "two sizes or types for",
    ),
    "stack global": (b"NN\x93", "a global whose name is not a string"),
    "protocol 1": (b"\x80\x01", "pickle protocol 1"),
    "protocol 9": (b"\x80\x09", "pickle protocol 9"),
    "two values": (b"NN", "expected one pickled value; found 2"),
    "no value": (b"", "expected one pickled value; found 0"),
    "open mark": (b"(N", "expected one pickled value"),
    "long line": (b"c" + b"a" * 2000 + b"\n", "expected a line of at most 1024 bytes"),
    "arguments": (view(S), "_rebuild_tensor with 1 arguments"),
    "arguments of v2": (call("_rebuild_tensor_v2", S), "_rebuild_tensor_v2 with 1 arguments"),
    "arguments of v3": (
        call("_rebuild_tensor_v3", *[b"N"] * 7),
        "_rebuild_tensor_v3 with 7 arguments",
    ),
    "no storage": (view(b"N", p.number(0), ONE, ONE), "a tensor whose storage or offset is none"),
    "negative offset": (
        view(S, p.number(-1), ONE, ONE),
        "a tensor whose storage or offset is none",
    ),
    "bool offset": (view(S, b"\x88", ONE, ONE), "a tensor whose storage or offset is none"),
    "float shape": (
        view(S, p.number(0), p.many(b"G" + bytes(8)), ONE),
        "shape is no tuple of non-negative integers",
    ),
    "negative shape": (
        view(S, p.number(0), p.many(p.number(-1)), ONE),
        "shape is no tuple of non-negative integers",
    ),
    "negative stride": (
        view(S, p.number(0), ONE, p.many(p.number(-1))),
        "strides is no tuple of non-negative",
    ),
    "text shape": (
        view(S, p.number(0), p.text("ab"), ONE),
        "shape is no tuple of non-negative integers",
    ),
    "ranks": (view(S, p.number(0), ONE, p.many()), "a tensor of 1 dimensions with 0 strides"),
    "rank 65": (
        view(S, p.number(0), p.many(*[p.number(1)] * 65), ONE),
        r"a tensor of rank 65 \(at most 64\)",
    ),
    "overflow with a zero": (
        view(
            S,
            p.number(0),
            p.many(*[p.number(1 << 40)] * 2, p.number(0)),
            p.many(*[p.number(1)] * 3),
        ),
        r"more than 2\^63 elements",
    ),
    "parameter": (
        call("_rebuild_parameter", b"N", b"\x89", b"}"),
        "_rebuild_parameter of a value that is no tensor",
    ),
    "type": (
        p.named("torch._tensor", "_rebuild_from_type_v2") + p.many(b"N", b"N", b")", b"}") + b"R",
        "_rebuild_from_type_v2 of another type",
    ),
    "type in type": (
        p.named("torch._tensor", "_rebuild_from_type_v2")
        + p.many(
            p.named("torch._tensor", "_rebuild_from_type_v2"),
            p.named("torch", "Tensor"),
            b")",
            b"}",
        )
        + b"R",
        "_rebuild_from_type_v2 of another type",
    ),
    "meta": (
        call("_rebuild_meta_tensor_no_storage", b"N", ONE, ONE, b"\x89"),
        "_rebuild_meta_tensor_no_storage with",
    ),
    "sparse": (
        call("_rebuild_sparse_tensor", b"N", b")"),
        "a sparse tensor without indices, values and size",
    ),
    "quantised": (call("_rebuild_qtensor", *[b"N"] * 7), "_rebuild_qtensor without a scheme"),
    "nested": (
        call("_rebuild_nested_tensor", *[b"N"] * 4),
        "_rebuild_nested_tensor without a buffer",
    ),
    "pairs": (
        p.named("collections", "OrderedDict") + b"]Na\x85R",
        "an OrderedDict of values that are no pairs",
    ),
    "encoding": (
        p.named("_codecs", "encode") + p.many(p.text("x"), p.text("zip")) + b"R",
        "bytes that are no latin-1",
    ),
    "bytes": (
        p.named("builtins", "bytes") + p.many(p.number(1 << 40)) + b"R",
        "bytes that are no latin-1 text",
    ),
    "size": (p.named("torch", "Size") + b")R", "size is no tuple of non-negative integers"),
    "truncated": (b"X\xff\xff\xff\xff", r"expected 4294967295 bytes at byte \d+; truncated: 1 of"),
    "long truncated": (
        b"\x8e" + b"\xff" * 8,
        r"expected 18446744073709551615 bytes .*; truncated: 1 of",
    ),
}


@pytest.mark.parametrize("case", FORGED)
def test_forged(tmp_path: Path, case: str) -> None:
    """What torch never writes is refused, with the byte where it stands."""
    body, match = FORGED[case]
    with pytest.raises(CheckpointError, match=match) as caught:
        loaded(tmp_path, p.whole(body))
    assert all((caught.value.expected, caught.value.found, caught.value.advice))


NAMES = [
    "os system",
    "posix system",
    "builtins eval",
    "builtins getattr",
    "builtins __import__",
    "subprocess Popen",
    "torch load",
    "torch.hub load",
    "torch.storage _load_from_bytes",
    "torch jit",
    "numpy load",
    "nt system",
    "torch._utils _import_dotted_name",
    "torch.serialization load",
    "pickle loads",
    "runpy run_path",
    "collections OrderedDict.fromkeys",
    "torch Size.__new__",
    "numpy.testing._private.utils runstring",
]


@pytest.mark.parametrize("name", NAMES)
def test_names(tmp_path: Path, name: str) -> None:
    """A name outside the allow-list is refused in either spelling, before any call."""
    module, _, word = name.partition(" ")
    for body in (p.named(module, word), p.text(module) + p.text(word) + b"\x93"):
        with pytest.raises(
            CheckpointError, match=f"refers to {module}.{word}; nothing was executed"
        ):
            loaded(tmp_path, p.whole(body + p.many(p.text("x")) + b"R"))


class Evil:
    """Pickles as a call that would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_nothing_runs(tmp_path: Path, protocol: int) -> None:
    """A reduction to `open` creates no file here, and does where Python loads it."""
    data, canary = pickle.dumps({"w": Evil(tmp_path / "canary")}, protocol), tmp_path / "canary"
    with pytest.raises(CheckpointError, match=r"refers to .*io.*open"):
        loaded(tmp_path, data)
    assert not canary.exists()
    pickle.loads(data)["w"].close()
    assert canary.exists()


def test_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of operations is limited, and with it memory."""
    monkeypatch.setattr(machine, "STEP_LIMIT", 10)
    with pytest.raises(
        CheckpointError, match="expected a pickle of at most 10 operations; found a longer one"
    ):
        loaded(tmp_path, p.whole(b"N" * 11))


@settings(max_examples=150, deadline=None)
@given(
    data=st.lists(
        st.sampled_from([op.code.encode("latin-1") for op in pickletools.opcodes]), max_size=30
    ),
    tail=st.binary(max_size=20),
)
def test_any_operations(
    tmp_path_factory: pytest.TempPathFactory, data: list[bytes], tail: bytes
) -> None:
    """Any sequence of operations gives a value or one refusal."""
    path = tmp_path_factory.getbasetemp() / "any"
    raw = p.whole(b"".join(data) + tail)
    path.write_bytes(raw)
    try:
        end = unpickle(opened(str(path)), 0, len(raw), {})[1]
    except CheckpointError as fault:
        end = len(fault.expected)
    assert end > 0


def test_frames(tmp_path: Path) -> None:
    """Frames are passed over: what they promise about lengths is not believed."""
    assert loaded(tmp_path, p.whole(b"\x95" + struct.pack("<Q", 1 << 60) + b"N", 4))[0] is None


def test_a_refused_operation_is_no_damage(tmp_path: Path) -> None:
    """Another program wrote it; bytes that are no operation are damage."""
    for body, advice in (
        (b"I5\n", "load it where it was written"),
        (b"(No", "load it where it was written"),
        (b"\xfe", "the file is damaged or forged"),
        (b"t", "the file is damaged or forged"),
    ):
        with pytest.raises(CheckpointError) as refusal:
            loaded(tmp_path, p.whole(body))
        assert refusal.value.advice.startswith(advice)
