"""Hostile torch files under a limit on memory and time: each is refused in one line."""

from __future__ import annotations

import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.checkpoints import pickles as p

GIB = 1 << 30
READ = f"""
import resource, sys
from weightscope.checkpoints.readers.torch_file import read
from weightscope.errors import WeightscopeError
resource.setrlimit(resource.RLIMIT_AS, ({GIB}, {GIB}))
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
for path in sys.argv[1:]:
    try:
        print("tensors", len(read(path).tensors))
    except WeightscopeError as fault:
        print(fault.code, fault)
"""
STATE = p.whole(p.mapping({"w": p.tensor()}))


def doubled() -> bytes:
    """Lists that hold the one before twice: 2^60 tensors in a few hundred bytes."""
    return (
        p.tensor()
        + b"\x940"
        + b"".join(b"](h" + bytes([i]) + b"h" + bytes([i]) + b"e\x940" for i in range(60))
        + b"h\x3c"
    )


EVIL = {
    "many dicts": p.archive(p.whole(b"}" * 100_000), {}),
    "many marks": p.archive(p.whole(b"(" * 100_000), {}),
    "deep": p.archive(p.whole(p.tensor() + b"\x85" * 100_000)),
    "doubled": p.archive(p.whole(doubled(), 4)),
    "long text": p.archive(p.whole(b"\x8d" + struct.pack("<Q", 1 << 62))),
    "bomb": p.archive(STATE, {"data/0": bytes(20_000_000)}, method=zipfile.ZIP_DEFLATED),
    "elements": p.archive(p.whole(p.mapping({"w": p.tensor(numel=1 << 60)}))),
    "count": p.old(p.whole(p.mapping({"w": p.tensor()})), {"0": (1 << 60, b"")}),
}


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are set the POSIX way")
def test_bounded(tmp_path: Path) -> None:
    """Each is refused with exit code 3 inside one gigabyte and half a minute for all."""
    paths = [tmp_path / str(number) for number in range(len(EVIL))]
    for path, raw in zip(paths, EVIL.values(), strict=True):
        path.write_bytes(raw)
    done = subprocess.run(
        [sys.executable, "-c", READ, *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        timeout=120,
    )
    assert done.stderr == ""
    lines = dict(zip(EVIL, done.stdout.splitlines(), strict=True))
    assert {line.split()[0] for line in lines.values()} == {"3"}
    for case, text in (
        ("many dicts", "found 100000"),
        ("deep", "64 levels"),
        ("doubled", "hold each other again"),
        ("long text", "truncated"),
        ("bomb", "compression method 8"),
        ("elements", "found 24"),
        ("count", "found a record of"),
    ):
        assert text in lines[case]
