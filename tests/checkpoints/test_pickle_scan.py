"""Names that a pickle refers to, listed without execution."""

from __future__ import annotations

import pickle

import pytest

from tests.checkpoints import pickles as p
from weightscope.checkpoints.readers import pickle_scan
from weightscope.checkpoints.readers.pickle_scan import refusal_of, wanted


def test_every_spelling() -> None:
    """GLOBAL, INST, STACK_GLOBAL, memoised names, extensions: all are listed, once, sorted."""
    body = (
        p.named("os", "system")
        + b"(iposix\nexecv\n"
        + p.text("nt")
        + b"\x94"
        + p.text("spawn")
        + b"\x94\x93"
        + b"h\x00h\x01\x93"
        + b"\x82\x07"
        + p.named("os", "system")
        + p.named("torch", "FloatStorage")
    )
    assert wanted(p.whole(body, 4)) == ("extension 7", "nt.spawn", "os.system", "posix.execv")


@pytest.mark.parametrize("protocol", range(6))
def test_python_pickles(protocol: int) -> None:
    """A class is listed whatever the protocol."""
    (name,) = wanted(pickle.dumps({"x": [pytest.Item]}, protocol))
    assert name.endswith(".Item")


def test_several_pickles() -> None:
    """A later pickle is looked at too, unless only the first is asked for."""
    raw = p.whole(b"N") + p.whole(p.named("os", "system"))
    assert (wanted(raw), wanted(raw, 1)) == (("os.system",), ())


def test_broken_bytes() -> None:
    """The names before the damage are kept; odd escapes in texts do not warn."""
    assert wanted(p.whole(p.named("os", "system") + b"\xfe")) == ("os.system",)
    assert wanted(b"S'\\q'\ncos\nsystem\n.") == ("os.system",)
    assert wanted(b"") == wanted(b"\xff\xfe") == ()


def test_long_pickles(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan is bounded: it returns the names before its end, and no later pickle is scanned."""
    monkeypatch.setattr(pickle_scan, "STEPS", 5)
    raw = p.whole(p.named("os", "system") + b"N" * 9) + p.whole(p.named("os", "popen"))
    assert wanted(raw) == ("os.system",)


def test_long_lists() -> None:
    """Ten names are shown, the rest counted; control characters are escaped."""
    text = str(refusal_of(tuple(f"m.C{i}\x1b" for i in range(13))))
    assert r"m.C9\x1b and 3 more; nothing was executed" in text
    assert "\x1b" not in text
