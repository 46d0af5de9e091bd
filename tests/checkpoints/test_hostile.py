"""Small files that are made to cost much: each is read or refused under limits on time and memory.

Each runs in a process of its own. An algorithm that is quadratic or exponential in a file never
ends under these limits; a linear one needs a tenth of them at most.
"""

from __future__ import annotations

import json
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import weightscope as ws
from tests.checkpoints import pickles as p
from weightscope.checkpoints import open_checkpoint
from weightscope.checkpoints.readers.keys import key_of, name_of
from weightscope.checkpoints.readers.pickle_scan import wanted
from weightscope.errors import PART, CheckpointError
from weightscope.escape import listed, quoted, shown

ROOT = Path(__file__).parents[2]
READ = """
import os, resource, sys
import weightscope as ws
from weightscope.errors import WeightscopeError
GIB = 1 << 30
ws.ls("demo:gpt")                               # loads once what every child needs
for path in sys.argv[1:]:
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_AS, (GIB, GIB))
        resource.setrlimit(resource.RLIMIT_CPU, (3, 3))
        try:
            report = ws.ls(path)
            notes = [row["note"] for row in report.rows[:2]]
            print("rows", len(report.rows), *report.notes, *notes, flush=True)
        except WeightscopeError as fault:
            print(fault.code, fault, flush=True)
        os._exit(0)
    if status := os.waitpid(child, 0)[1]:
        print("ended by", status, flush=True)
"""
W = p.tensor()
PAYLOAD = bytes(range(16))
V = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
EMPTY = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
MERSENNE = (1 << 61) - 1  # numbers that differ by it have one hash
HUGE = 10**4299


def laughs(levels: int = 40) -> bytes:
    """A tuple that holds its predecessor twice: 2^40 texts when compared, hashed or written."""
    pairs = b"".join(b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86\x940" for i in range(levels))
    return p.text("ha") + b"\x940" + pairs + b"h" + bytes([levels])


def legacy(
    protocol: bytes, system: bytes = pickle.dumps({}, 2), keys: bytes = pickle.dumps(["0"], 2)
) -> bytes:
    return (
        pickle.dumps(p.MAGIC, 2)
        + protocol
        + system
        + p.whole(p.mapping({"w": W}))
        + keys
        + struct.pack("<q", 6)
        + bytes(24)
    )


def zipped(body: bytes) -> bytes:
    return p.archive(p.whole(body, 4))


def header(fields: object, payload: bytes = PAYLOAD) -> bytes:
    raw = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    return len(raw).to_bytes(8, "little") + raw + payload


def long(letter: str, size: int = 1 << 20) -> bytes:
    return b"X" + struct.pack("<I", size) + letter.encode() * size


def colliding(many: int) -> list[tuple[int, int]]:
    """Pairs of integers whose tuples have one hash (CPython's xxHash of two lanes, inverted)."""
    word, p1, p2, p5 = (
        (1 << 64) - 1,
        11400714785074694791,
        14029467366897019727,
        2870177450012600261,
    )
    inverse = pow(p2, -1, 1 << 64)
    found = []
    for first in range(1, 1 << 30):
        acc = p5 + first * p2 & word
        acc = (acc << 31 | acc >> 33) & word
        acc = acc * p1 & word
        second = (7 - acc) * inverse & word
        signed = second - (1 << 64) if second >> 63 else second
        if abs(signed) < MERSENNE and signed != -1:
            found.append((first, signed))
        if len(found) == many:
            break
    assert len({hash(pair) for pair in found}) == 1
    return found


def pairs_of(pair: tuple[int, int]) -> bytes:
    return p.number(pair[0]) + p.number(pair[1]) + b"\x86N"


def shared_lists() -> bytes:
    """2^16 tensors in some hundred bytes."""
    steps = b"".join(b"](h" + bytes([i]) + b"h" + bytes([i]) + b"e\x940" for i in range(16))
    return W + b"\x940" + steps + b"h\x10"


def many_tensors(names: int = 3000) -> bytes:
    return b"}(" + b"".join(p.text(f"t{i}") + b"h\0" for i in range(names)) + b"u"


SPARSE = p.named("torch._utils", "_rebuild_sparse_tensor")
ORDERED = p.named("collections", "OrderedDict")
PYTHON2 = b"](" + b"".join(p.text(f"{i:05}") + b"N\x86" for i in range(20_000)) + b"e\x940"
STATE = {"w": W}
PICKLES = {
    "protocol of tuples": (
        legacy(p.whole(laughs(), 4)),
        "3 .* of protocol 1001; found a tuple of 2; save it",
    ),
    "system of tuples": (
        legacy(pickle.dumps(1001, 2), p.whole(laughs(), 4)),
        "3 .*found a tuple of 2; save it",
    ),
    "long protocol": (
        legacy(p.whole(b"\x8b" + struct.pack("<I", 20_000) + b"\x7f" * 20_000)),
        "3 .*found an integer of 159999 bits; save it",
    ),
    "deep protocol": (legacy(p.whole(b")" + b"\x85" * 100_000)), "3 .*found a tuple of 1; save it"),
    "protocol True": (legacy(p.whole(b"\x88")), "3 .*found True; save it"),
    "storages of tuples": (
        legacy(pickle.dumps(1001, 2), keys=p.whole(laughs(), 4)),
        "3 .*the list of storages",
    ),
    "identity of tuples": (zipped(laughs() + b"Q"), "3 .*a persistent id that is not a storage"),
    "key of tuples": (zipped(b"}" + laughs() + b"Ns"), "3 .*a dict key of type tuple"),
    "pairs again and again": (
        zipped(PYTHON2 + b"](" + (ORDERED + b"h\0\x85R") * 2000 + b"e"),
        "3 .*80000 items copied in .* operations: lists used again and again",
    ),
    "sparse parts again and again": (
        zipped(
            W
            + b"\x940(h\0h\0)"
            + b"N" * 20_000
            + b"t\x940]("
            + (SPARSE + b"Nh\1\x86R") * 4000
            + b"e"
        ),
        "3 .*a sparse tensor without indices, values and size",
    ),
    "long layout": (
        zipped(
            W
            + b"\x940"
            + p.named("torch.serialization", "_get_layout")
            + long("a")
            + b"\x85R\x940]("
            + (SPARSE + b"h\1(h\0h\0)t\x86R") * 1500
            + b"e"
        ),
        r"rows 1500 .*sparse layout \(a{40}\.\.\.\)",
    ),
    "equal long keys": (
        zipped(
            long("a", 1 << 22) + b"\x940" + long("a", 1 << 22) + b"\x940}h\0Ns" + b"h\1Ns" * 40_000
        ),
        "3 .*expected tensors; no tensors in the file",
    ),
    "shared lists": (
        zipped(shared_lists()),
        "3 .*found 32 items that are visited more than .* times",
    ),
    "long paths": (
        zipped(W + b"\x940" + (b"}" + p.text("k" * 4000)) * 40 + many_tensors() + b"s" * 40),
        "3 .*expected names of at most 4096 characters; found 16004.",
    ),
    "long word": (
        zipped(W + b"\x940}" + p.text("_optim_" * 580 + "\n") + many_tensors(4000) + b"s"),
        "rows 4000 ",
    ),
    "text memo": (
        p.whole(
            b"N" + b"".join(b"p%d\n" % (i * MERSENNE) for i in range(40_000)) + b"cos\nsystem\n"
        ),
        r"3 .*refers to os\.system; nothing",
    ),
    "long globals": (
        p.whole(long("a") + b"\x94" + long("b") + b"\x94" + b"0h\0h\1\x93" * 25_000, 4),
        r"3 .*refers to a{80}\.\.\.; nothing",
    ),
    "expanded": (
        zipped(p.mapping({"w": p.tensor(size=(1 << 15, 1 << 16), stride=(0, 0))})),
        "rows 1 .*expanded: 1 stored elements stand for 2147483648",
    ),
}
FACTORS = {
    f"base_model.model.l{i // 2}.lora_{'AB'[i % 2]}.weight": {
        "dtype": "F16",
        "shape": [[1, 2], [2, 1]][i % 2],
        "data_offsets": [4 * i, 4 * i + 4],
    }
    for i in range(3_000)
}
HEADERS = {
    "metadata twice": (
        header(
            b'{"__metadata__":{'
            + b",".join(b'"%d":"","%d":""' % (i, i) for i in range(20_000))
            + b'},"v":'
            + json.dumps(V).encode()
            + b"}"
        ),
        "rows 1 .*'0' twice, the last counts .byte 32. .* has 19990 more keys twice",
    ),
    "long fields": (
        header(
            b'{"v":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16],'
            + b",".join(b'"%s%d":1' % (b"x" * 1000, i) for i in range(900))
            + b"}}"
        ),
        "rows 1 .*unknown field in the header: 'x{199}$",
    ),
    "long name twice": (
        header(b'{"' + b"n" * 2_000_000 + b'":0,"' + b"n" * 2_000_000 + b'":0}'),
        r"3 .*found 'n{200}'\.\.\. twice .byte 2000....;",
    ),
    "dimensions": (
        header({"v": V, "w": {**EMPTY, "shape": [0] + [1 << 63] * 200_000}}),
        "3 .*a shape of at most 4096 dimensions; found an array of 200001",
    ),
    "rank": (
        header({"v": V, "w": {**EMPTY, "shape": [0] + [1 << 63] * 4000}}),
        "rows 2 .*4001 dimensions, at most 64 are measured; implausible shape",
    ),
    "digits": (
        header({"layers." + "9" * 4000 + ".w": V, "h.²." + "1" * 300 + ".w": EMPTY}),
        "rows 2 ",
    ),
    "experts": (
        header(
            {"model.layers.0.mlp.experts.gate_up_proj": {**EMPTY, "shape": [1 << 40, 0, 4]}, "v": V}
        ),
        "rows 2 .*moe.expert.gate_up 1",
    ),
}
CONFIGS = {
    "long numbers": (
        header({"model.layers.0.linear_attn.in_proj_qkvz.weight": V}),
        "config.json",
        {
            "hidden_size": HUGE,
            "linear_num_key_heads": HUGE,
            "linear_num_value_heads": HUGE,
            "linear_key_head_dim": HUGE,
            "linear_value_head_dim": HUGE,
        },
        "rows 1 .*needs linear_num_key_heads",
    ),
    "long width": (
        header({"model.layers.0.self_attn.kv_a_proj_with_mqa.weight": V}),
        "config.json",
        {"kv_lora_rank": HUGE * 9, "qk_rope_head_dim": HUGE * 9},
        "rows 1 .*needs kv_lora_rank",
    ),
    "patterns": (
        header(FACTORS, bytes(12_000)),
        "adapter_config.json",
        {
            "r": 1,
            "lora_alpha": 1,
            "target_parameters": ["x"],
            "alpha_pattern": {f"z{i}": i for i in range(20_000)},
            "rank_pattern": {f"z{i}": i for i in range(20_000)},
        },
        "rows 3000 ",
    ),
}


def read(*paths: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", READ, *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=600,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


posix = pytest.mark.skipif(
    sys.platform == "win32", reason="limits of a process are set the POSIX way"
)


@posix
def test_bounded(tmp_path: Path) -> None:
    """Each ends with its one message or with its rows, which say what is odd.

    What stands beside a model costs no more than its bytes.
    """
    pairs = b"".join(map(pairs_of, colliding(18_000)))
    colliding_tuples = zipped(p.mapping({"w": W, "d": b"}(" + pairs + b"u"}))
    pickles = PICKLES | {"colliding tuples": (colliding_tuples, "rows 1 ")}
    paths: list[Path] = []
    expected: list[tuple[str, str]] = []
    for files, suffix in ((pickles, ".pt"), (HEADERS, ".safetensors")):
        for name, (raw, line) in files.items():
            paths.append(tmp_path / f"{name}{suffix}")
            paths[-1].write_bytes(raw)
            expected.append((name, line))
    for name, (raw, beside, config, line) in CONFIGS.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "adapter_model.safetensors").write_bytes(raw)
        (folder / beside).write_text(json.dumps(config))
        paths.append(folder)
        expected.append((name, line))
    for (name, line), printed in zip(expected, read(*paths), strict=True):
        matches(name, line, printed)


def matches(name: str, expected: str, line: str) -> None:
    """The line of a case; it is short, whatever the file holds."""
    with pytest.raises(AssertionError, match=expected):
        raise AssertionError(line)
    assert len(line) < 3 * PART, name


def test_shown() -> None:
    """No value is gone through to be shown."""
    nested: object = "ha"
    for _ in range(100):
        nested = (nested, nested)
    deep: object = ()
    for _ in range(100_000):
        deep = (deep,)
    found = [
        shown(value)
        for value in (nested, deep, 1 << 100_000, -5, True, None, b"x" * 100, {}, 1.5, object())
    ]
    assert found == [
        "a tuple of 2",
        "a tuple of 1",
        "an integer of 100001 bits",
        "-5",
        "True",
        "None",
        "b'" + "x" * 80 + "'...",
        "a dict of 0",
        "1.5",
        "a object",
    ]
    assert (len(quoted("\0" * 1000)), listed(["a"] * 12)) == (
        805,
        "a, a, a, a, a, a, a, a, a, a and 2 more",
    )


def test_a_message_is_cut() -> None:
    """However much text of a file a part of it quotes."""
    fault = CheckpointError("expected", "x" * 1_000_000, "advice")
    assert len(str(fault)) == len("expected; ; advice") + PART + 3


def test_keys() -> None:
    """Keys are equal exactly where Python's keys are; none is hashed by its number."""
    alike = [(1, 1.0), (1, True), (0, -0.0), ((1, "a"), (True, "a")), ("a", "a")]
    apart = [
        (1, "1"),
        ((1,), 1),
        (("a", "b"), ("ab",)),
        (b"a", "a"),
        (1.5, "1.5"),
        (None, "None"),
        ((), 0),
        (1 << 60, float((1 << 60) + 512)),
        (float("nan"), float("nan")),
    ]
    assert all(key_of(a, 0) == key_of(b, 1) for a, b in alike)
    assert all(key_of(a, 0) != key_of(b, 1) for a, b in apart)
    assert [name_of(key_of(key, 0)) for key in (7, None, (0, "w"), 1.5, True)] == [
        "7",
        "None",
        "(0, 'w')",
        "1.5",
        "True",
    ]
    assert len({hash(key_of(i * MERSENNE, 0)) for i in range(4)}) == 4
    assert name_of(1 << 20_000) == hex(1 << 20_000)


def test_the_first_key_and_the_last_value_stay(tmp_path: Path) -> None:
    """As in Python's own dicts."""
    path = tmp_path / "m.pt"
    path.write_bytes(
        zipped(b"}(" + p.number(1) + p.tensor(size=(2,), stride=(1,)) + b"\x88" + W + b"u")
    )
    (found,) = open_checkpoint(path).tensors
    assert (found.name, found.dims) == ("1", (2, 3))


def test_scan_keeps_what_a_real_memo_holds() -> None:
    """Slots of a memo that no pickle reaches are not kept; nothing of the text is run."""
    assert wanted(b"Vos\np%d\n0Vsystem\np1\n0" % (1 << 40) + b"g1\ng1\n\x93.") == ("system.system",)


def test_flags_are_few(tmp_path: Path) -> None:
    """A dict of keys that are no text gives a hundred flags and their number."""
    found = open_checkpoint({i: torch.zeros(1) for i in range(250)})
    assert (len(found.flags), found.flags[-1]) == (101, "150 more flags of this kind are left out")


def test_memory_expanded() -> None:
    """One number that stands for 2^40 is not measured, in memory as in a file."""
    report = ws.outliers({"w": torch.zeros(1).expand(1 << 20, 1 << 20)})
    assert report.rows[0]["note"].startswith("expanded: 1 stored elements stand for 1099511627776")


def test_index_of_shards(tmp_path: Path) -> None:
    """Long names of shards and of tensors, and other types, are refused in a short message."""
    path = tmp_path / "model.safetensors.index.json"
    for shard, expected in (
        ("-1-of-1." * 100_000 + "\n", r"found '(-1-of-1\.){25}'\.\.\."),
        (3, "another type under"),
    ):
        path.write_text(json.dumps({"weight_map": {"w" * 1_000_000: shard}}))
        with pytest.raises(CheckpointError, match=expected) as caught:
            open_checkpoint(path)
        assert len(str(caught.value)) < 1000
