"""Positioned reads of regular files, and files that change meanwhile."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.checkpoints.corpus import write, zeros
from weightscope.checkpoints import (
    advise,
    changed,
    close_all,
    files,
    open_checkpoint,
    read_into,
)
from weightscope.checkpoints.files import identity, open_regular, read_bytes
from weightscope.errors import CheckpointError


def test_read_into(tmp_path: Path) -> None:
    """Bytes come from their position into the caller's buffer, from many threads at once."""
    path, data = write(tmp_path / "x", bytes(range(256)) * 64), bytes(range(256))

    def piece(at: int) -> bytes:
        buffer = bytearray(256)
        advise(path, at, 256)
        read_into(path, at, memoryview(buffer))
        return bytes(buffer)

    with ThreadPoolExecutor(8) as pool:
        assert all(got == data for got in pool.map(piece, range(0, 256 * 64, 256)))


def test_short_read(tmp_path: Path) -> None:
    """A file that ends before it should has changed."""
    path = write(tmp_path / "x", bytes(10))
    with pytest.raises(
        CheckpointError, match=r"expected 8 bytes at byte 6 of .*; found 4; the file changed while"
    ):
        read_bytes(path, 6, 8)


def test_failing_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message of a failing disk is reported with the path, and no descriptor stays open."""
    path = write(tmp_path / "x", bytes(10))
    monkeypatch.setattr("weightscope.checkpoints.limits.DESCRIPTORS", 0)
    close_all()

    def broken(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("weightscope.checkpoints.files.os.preadv", broken)
    before = sorted(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else []
    with pytest.raises(
        CheckpointError,
        match=r"expected a file that opens; .*x: Input/output error; check the path",
    ):
        read_bytes(path, 0, 8)
    assert not before or sorted(os.listdir("/proc/self/fd")) == before


def test_closed_and_beyond_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads work after close_all, and where no more descriptors may be kept."""
    path = write(tmp_path / "x", b"abc")
    assert read_bytes(path, 0, 3) == b"abc"
    close_all()
    monkeypatch.setattr("weightscope.checkpoints.limits.DESCRIPTORS", 0)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(5):
        assert read_bytes(path, 1, 2) == b"bc"
        advise(path, 0, 3)
        identity(path)
    if before:
        assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="the system lists no descriptors")
def test_more_files_than_the_system_allows(tmp_path: Path) -> None:
    """Few files stay open where the system allows few, and all are read."""
    close_all()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    paths = [write(tmp_path / str(number), bytes([number])) for number in range(70)]
    opened = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (opened + 60, hard))
    try:
        for path in paths:
            identity(path)
        read = [read_bytes(path, 0, 1) for path in paths]
        kept = len(os.listdir("/proc/self/fd")) - opened
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        close_all()
    assert read == [bytes([number]) for number in range(70)]
    assert kept == (opened + 60) // 4


@pytest.mark.parametrize(("allowed", "kept"), [(256, 64), (1 << 20, 256), (-1, 256)])
def test_files_that_stay_open(monkeypatch: pytest.MonkeyPatch, allowed: int, kept: int) -> None:
    """A quarter of the allowed descriptors, at most 256."""
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (allowed, allowed))
    assert files._kept() == kept


def test_replaced_between_openings(tmp_path: Path) -> None:
    """A new file under a known path is read anew."""
    path = write(tmp_path / "x", b"old")
    identity(path)
    os.replace(write(tmp_path / "y", b"new"), path)
    identity(path)
    assert read_bytes(path, 0, 3) == b"new"


def test_changed(tmp_path: Path) -> None:
    """Row 73: a file replaced, grown, touched or removed after opening is told."""
    path = write(tmp_path / "x.safetensors", zeros("w"))
    found = open_checkpoint(path)
    assert changed(found) is None
    os.utime(path, ns=(1, 1))
    assert "was written to while" in (changed(found) or "")
    with open(path, "ab") as file:
        file.write(b"more")
    assert "changed its size" in (changed(found) or "")
    os.replace(write(tmp_path / "y", zeros("w")), path)
    assert "was replaced while" in (changed(found) or "")
    os.unlink(path)
    assert "vanished while" in (changed(found) or "")


def test_a_rewritten_file_with_its_old_time_is_noticed(tmp_path: Path) -> None:
    """Programs that copy times set it back; of the same inode and size only the ctime differs."""
    path = Path(write(tmp_path / "m.safetensors", zeros("w")))
    before = os.stat(path)
    found = open_checkpoint(str(path))
    time.sleep(0.02)  # the clock of a file system has coarse steps
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = os.stat(path)
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (
        before.st_ino,
        before.st_size,
        before.st_mtime_ns,
    )
    assert "was written to, and has its old time of modification again while it was measured" in (
        changed(found) or ""
    )


def test_other_attributes_are_no_change(tmp_path: Path) -> None:
    """Another link, mode or time of access leaves the content as it was."""
    path = Path(write(tmp_path / "m.safetensors", zeros("w")))
    found = open_checkpoint(str(path))
    os.link(path, tmp_path / "link.safetensors")
    assert changed(found) is None
    found = open_checkpoint(str(path))
    path.chmod(0o600)
    assert changed(found) is None
    path.read_bytes()
    assert changed(found) is None


def test_reads_without_preadv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systems that lack it read the same bytes."""
    path = write(tmp_path / "x", bytes(range(200)))
    monkeypatch.delattr("os.preadv")
    assert read_bytes(str(path), 7, 100) == bytes(range(7, 107))


def test_special_files(tmp_path: Path) -> None:
    """Row 68: folders, pipes, sockets and devices are refused and never waited for."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "sock"))
        for name, kind in (
            ("pipe", "is a named pipe"),
            ("sock", "sock: No such device"),
            (".", "is a folder"),
        ):
            with pytest.raises(CheckpointError, match=kind):
                open_regular(str(tmp_path / name))
    with pytest.raises(
        CheckpointError, match="regular file; /dev/null is a character device; copy its content"
    ):
        open_regular("/dev/null")


def test_pipe_does_not_hang(tmp_path: Path) -> None:
    """Opening a pipe that nobody writes to returns at once."""
    os.mkfifo(tmp_path / "p.safetensors")
    code = (
        "import sys; from weightscope.checkpoints import open_checkpoint; "
        "open_checkpoint(sys.argv[1])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "p.safetensors")],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert "is a named pipe" in run.stderr


def test_refused_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows 69-71: what the system will not open is said with the cause."""
    os.symlink("loop", tmp_path / "loop")
    os.symlink(write(tmp_path / "x", b"a"), tmp_path / "link")
    with pytest.raises(CheckpointError, match="loop: Too many levels of symbolic links"):
        open_regular(str(tmp_path / "loop"))
    with pytest.raises(CheckpointError, match="Too many levels"):
        open_regular(str(tmp_path / "link"), follow=False)
    with pytest.raises(
        CheckpointError, match=r"an existing file; .*none does not exist; check the spelling"
    ):
        open_regular(str(tmp_path / "none"))
    with pytest.raises(CheckpointError, match="holds a NUL character"):
        open_regular("a\0b")

    def forbidden(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("weightscope.checkpoints.files.os.open", forbidden)
    with pytest.raises(
        CheckpointError, match=r"a readable file; .*x: permission denied; check its owner and mode"
    ):
        open_regular(str(tmp_path / "x"))
