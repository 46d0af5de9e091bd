"""Names that a pickle refers to, listed without execution."""

from __future__ import annotations

import pickle

import pytest

import weightscope as ws
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


FEW = 9  # operations of a scan below
LATE = {
    "in protocol 0": b"(lp0\n" + b"F1\na" * 9 + b"cos\nsystem\n.",
    "in protocol 1": b"]q\x00(" + b"K\x01" * 9 + b"ecos\nsystem\n.",
    "in protocol 2": p.whole(b"](" + b"K\x01" * 9 + b"e" + p.named("os", "system")),
    "in protocol 4": p.whole(b"](" + b"K\x01" * 9 + b"e" + p.named("os", "system"), 4),
    "in a later pickle": p.whole(b"](" + b"K\x01" * 9 + b"e") + p.whole(p.named("os", "system")),
}


@pytest.mark.parametrize("suffix", [".pkl", ".joblib"])
@pytest.mark.parametrize("content", LATE.values(), ids=LATE)
def test_names_beyond_the_budget(tmp_path, monkeypatch, content: bytes, suffix: str) -> None:
    """The message states where the scan stops, and calls no sound file a broken download."""
    monkeypatch.setattr(pickle_scan, "STEPS", FEW)
    path = tmp_path / f"late{suffix}"
    path.write_bytes(content)
    with pytest.raises(ws.CheckpointError) as refusal:
        ws.ls(path)
    assert refusal.value.found == (
        "found a pickle that torch.save did not write: it refers to nothing but arrays and plain "
        "values in its first 9 operations, where the scan stops"
    )
    assert refusal.value.advice.startswith("load it in the program that wrote it")


def test_more_names_beyond_the_budget(monkeypatch, tmp_path) -> None:
    """Those before are named, and that there may be others; within the budget there are none."""
    path = tmp_path / "two.pkl"
    path.write_bytes(p.whole(p.named("a.b", "C") + b"0" + b"N0" * 9 + p.named("os", "system")))
    with pytest.raises(ws.CheckpointError, match=r"refers to a\.b\.C, os\.system; nothing was"):
        ws.ls(path)
    monkeypatch.setattr(pickle_scan, "STEPS", FEW)
    with pytest.raises(
        ws.CheckpointError,
        match=r"refers to a\.b\.C, and perhaps to more after 9 operations, where the scan stops;",
    ):
        ws.ls(path)


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_are_a_sound_file(tmp_path, protocol: int) -> None:
    """A pickle of numbers is named as one, whatever its protocol and its suffix."""
    for suffix in (".pkl", ".pt", ".dat"):
        path = tmp_path / f"plain{suffix}"
        path.write_bytes(pickle.dumps({"a": [1.0, 2]}, protocol))
        with pytest.raises(
            ws.CheckpointError, match=r"a pickle that torch\.save did not write; load it in the"
        ):
            ws.ls(path)


def test_text_is_no_pickle(tmp_path) -> None:
    """Text whose first letters are operations is no pickle."""
    path = tmp_path / "notes.pt"
    path.write_bytes(b"(dp of the config\n" * 2000)
    with pytest.raises(ws.CheckpointError, match="found one that begins with"):
        ws.ls(path)


def test_long_lists() -> None:
    """Ten names are shown, the rest counted; control characters are escaped."""
    text = str(refusal_of(tuple(f"m.C{i}\x1b" for i in range(13))))
    assert r"m.C9\x1b and 3 more; nothing was executed" in text
    assert "\x1b" not in text
