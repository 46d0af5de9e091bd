"""Bytes by position and in order, never more than are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from weightscope.checkpoints.readers import raw_file
from weightscope.checkpoints.readers.raw_file import Stream, opened
from weightscope.errors import CheckpointError
from weightscope.escape import shown


def test_positions(tmp_path: Path) -> None:
    """Reads inside the file return their bytes, others say how many are present."""
    (tmp_path / "f").write_bytes(b"0123456789")
    raw = opened(str(tmp_path / "f"))
    assert (raw.at(3, 4), raw.at(10, 0), raw.size) == (b"3456", b"", 10)
    with pytest.raises(
        CheckpointError, match="expected 4 bytes at byte 8; truncated: 2 of 4 bytes present"
    ):
        raw.at(8, 4)
    with pytest.raises(CheckpointError, match="truncated: 0 of 1 bytes present"):
        raw.at(1 << 70, 1)


def test_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream gives the same bytes whatever is fetched at a time, and stops where it is told."""
    monkeypatch.setattr(raw_file, "CHUNK", 3)
    (tmp_path / "f").write_bytes(b"01\n3456789")
    stream = Stream(opened(str(tmp_path / "f")), 1, 9)
    assert (stream.line(), stream.take(1), stream.take(4), stream.position) == (
        b"1",
        b"3",
        b"4567",
        8,
    )
    with pytest.raises(
        CheckpointError, match="expected 2 bytes at byte 8; truncated: 1 of 2 bytes present"
    ):
        stream.take(2)
    assert stream.take(1) == b"8"


def test_shown() -> None:
    """Hostile text is escaped and cut."""
    assert shown("a\x1b[31m" + "x" * 100).startswith(r"a\x1b[31m")
    assert len(shown("x" * 1000)) == 83
