"""Files are whole or not there."""

import errno
import os
import stat
import subprocess
import sys

import pytest

from weightscope.errors import CheckpointError, UsageError
from weightscope.reports.files import check_writable, write_atomically


def test_writes_and_replaces(tmp_path):
    """The file appears whole, with the rights of the one it replaces or those of the umask.

    And nothing else stays.
    """
    path = tmp_path / "a.csv"
    write_atomically(path, lambda s: s.write(b"one") and None)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    path.chmod(0o640)
    write_atomically(path, lambda s: s.write(b"two") and None)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode), os.listdir(tmp_path)) == (
        b"two",
        0o640,
        ["a.csv"],
    )


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (ValueError("x"), ValueError),
        (BrokenPipeError(), BrokenPipeError),
        (OSError(errno.ENOSPC, "No space left on device"), CheckpointError),
    ],
)
def test_a_failure_leaves_the_old_file(tmp_path, fault, raised):
    """Whatever happens in the middle, the old report stays and no half of the new one."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"old")

    def fail(stream):
        stream.write(b"half")
        raise fault

    with pytest.raises(
        raised, match="No space left on device" if raised is CheckpointError else None
    ):
        write_atomically(path, fail)
    assert (path.read_bytes(), os.listdir(tmp_path)) == (b"old", ["a.csv"])


def test_a_link_is_followed_and_a_device_written_straight(tmp_path):
    """Replacing a link would cut it; replacing /dev/null would be worse."""
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_atomically(tmp_path / "link", lambda s: s.write(b"x") and None)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"x"
    write_atomically("/dev/null", lambda s: s.write(b"x") and None)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_what_cannot_be_written_is_known_before(tmp_path, monkeypatch):
    """A folder, a missing folder and a folder without permission are wrong usage."""
    with pytest.raises(
        UsageError, match=r"expected a file to write; found the folder .*; name a file in it"
    ):
        check_writable(tmp_path)
    with pytest.raises(
        UsageError, match=r"expected a folder for .*no/x.csv'; found none at .*; create it first"
    ):
        check_writable(tmp_path / "no" / "x.csv")
    (tmp_path / "x.csv").touch()
    monkeypatch.setattr(os, "access", lambda *a: False)  # root may write anywhere
    with pytest.raises(UsageError, match=r"expected to write .*; found no permission"):
        check_writable(tmp_path / "x.csv")


def test_a_place_that_takes_no_file_is_known_before(tmp_path):
    """Whatever rights say, a file is tried.

    Nothing stays of it, and a file that is there stays as it is.
    """
    if not os.path.isdir("/proc/self"):
        pytest.skip("needs /proc, which Linux has")
    with pytest.raises(
        UsageError,
        match=r"expected to write '/proc/x.csv'; found that '/proc' accepts no such file: ",
    ):
        check_writable("/proc/x.csv")
    with pytest.raises(UsageError, match="accepts no such file: File name too long"):
        check_writable(tmp_path / ("x" * 300))
    (tmp_path / "x.csv").write_text("old")
    check_writable(tmp_path / "x.csv")
    check_writable(tmp_path / "new.csv")
    assert ((tmp_path / "x.csv").read_text(), os.listdir(tmp_path)) == ("old", ["x.csv"])


def test_stdout_by_its_name_is_written_straight():
    """/dev/stdout leads to a pipe that has no name to put a file beside."""
    if not os.path.exists("/dev/stdout"):
        pytest.skip("needs /dev/stdout")
    code = (
        "from weightscope.reports.files import check_writable, write_atomically as write; "
        "check_writable('/dev/stdout'); write('/dev/stdout', lambda s: s.write(b'whole') and None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"whole"


def test_full_disk(tmp_path):
    """A device without space is an error of the source of bytes, not of usage."""
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full, which Linux has")
    with pytest.raises(CheckpointError, match=r"found: No space left on device; free some space"):
        write_atomically("/dev/full", lambda s: s.write(b"x" * 100000) and None)
