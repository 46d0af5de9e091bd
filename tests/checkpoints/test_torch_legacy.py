"""The stream of five pickles and its storages: every length is compared with what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checkpoints import pickles as p
from weightscope.checkpoints.checkpoint import Checkpoint
from weightscope.checkpoints.readers.torch_file import read
from weightscope.errors import CheckpointError


def held(key: str = "7", numel: int = 6, view: bytes = b"N") -> bytes:
    return p.storage(key, numel, view=view)


STATE = p.whole(p.mapping({"w": p.rebuilt(held(), (2, 3), (3, 1))}))
DATA = {"7": (6, bytes(range(24)))}


def opened(tmp_path: Path, raw: bytes) -> Checkpoint:
    (tmp_path / "m.th").write_bytes(raw)
    return read(str(tmp_path / "m.th"))


def refused(tmp_path: Path, raw: bytes, match: str) -> None:
    with pytest.raises(CheckpointError, match=match) as caught:
        opened(tmp_path, raw)
    assert all((caught.value.expected, caught.value.found, caught.value.advice))


def test_offsets(tmp_path: Path) -> None:
    """Each storage starts eight bytes after the one before ends."""
    body = p.mapping(
        {"w": p.rebuilt(held(), (2,), (1,), 4), "b": p.rebuilt(held("3", 2), (2,), (1,))}
    )
    raw = p.old(p.whole(body), {"3": (2, bytes(8)), **DATA})
    w, b = opened(tmp_path, raw).tensors
    assert (w.offset, b.offset) == (len(raw) - 24 + 16, len(raw) - 24 - 16)


def test_old_rebuild_function(tmp_path: Path) -> None:
    """The four arguments of the first rebuild function, after a view into a storage."""
    view = p.many(p.text("9"), p.number(2), p.number(4))
    body = (
        p.named("torch._utils", "_rebuild_tensor")
        + p.many(held(view=view), p.number(1), p.many(p.number(3)), p.many(p.number(1)))
        + b"R"
    )
    raw = p.old(p.whole(p.mapping({"w": body})), DATA)
    (leaf,) = opened(tmp_path, raw).tensors
    assert leaf.offset == len(raw) - 24 + 4 * (2 + 1)


def test_views_outside(tmp_path: Path) -> None:
    """A view of a storage lies in the storage, and a tensor in its view."""
    for view, match in (
        (p.many(p.text("9"), p.number(3), p.number(4)), "a view outside the storage 7"),
        (p.many(p.text("9"), p.number(-1), p.number(4)), "a view outside the storage 7"),
        (p.text("x"), "a view outside the storage 7"),
        (
            p.many(p.text("9"), p.number(3), p.number(3)),
            r"a tensor outside its storage 7 \(byte 24 of 12\)",
        ),
    ):
        body = p.mapping({"w": p.rebuilt(held(view=view), (2, 3), (3, 1))})
        refused(tmp_path, p.old(p.whole(body), DATA), match)


@pytest.mark.parametrize("left", [1, 20, 23])
def test_truncated_data(tmp_path: Path, left: int) -> None:
    """A cut in the data says how much is there and how much is needed."""
    raw = p.old(STATE, DATA)
    there = f"truncated: {len(raw) - left} of at least {len(raw)} bytes present, 0 storages whole"
    refused(tmp_path, raw[:-left], there)


def test_truncated_count(tmp_path: Path) -> None:
    """A cut in a count."""
    refused(
        tmp_path, p.old(STATE, DATA)[:-27], "expected 8 bytes .* truncated: 5 of 8 bytes present"
    )


def test_truncated_pickle(tmp_path: Path) -> None:
    """A cut in a pickle."""
    raw = p.old(STATE, {})
    refused(
        tmp_path, raw[: raw.index(STATE) + 40], r"expected \d+ bytes at byte \d+; truncated: \d+ of"
    )


def test_trailing_bytes(tmp_path: Path) -> None:
    """Nothing stands behind the last storage."""
    refused(
        tmp_path, p.old(STATE, DATA) + b"evil", "expected the file to end .* found 4 more bytes"
    )


@pytest.mark.parametrize(("count", "found"), [(5, 20), (1 << 62, 1 << 64), (-6, -24)])
def test_counts(tmp_path: Path, count: int, found: int) -> None:
    """The count before the data agrees with the pickle."""
    raw = p.old(STATE, {"7": (count, bytes(24))})
    refused(tmp_path, raw, f"expected 24 bytes in storage 7; found a record of {found} at byte")


def test_keys(tmp_path: Path) -> None:
    """The list of storages and the storages of the tensors are the same, each once."""
    refused(tmp_path, p.old(STATE, DATA, []), r"found 1 without a counterpart \(7 first\)")
    refused(tmp_path, p.old(STATE, DATA, ["7", "8"]), r"found 1 without a counterpart \(8 first\)")
    refused(tmp_path, p.old(STATE, DATA, ["7", "7"]), "expected the list of storages")


def test_protocol(tmp_path: Path) -> None:
    """Only protocol 1001 exists."""
    refused(
        tmp_path,
        p.old(STATE, DATA, protocol=1002),
        "expected a torch file of protocol 1001; found 1002",
    )


def test_code(tmp_path: Path) -> None:
    """A call in any of the pickles is named and not made."""
    canary = tmp_path / "canary"
    good = p.old(STATE, DATA)
    refused(
        tmp_path, p.old(p.whole(p.mapping({"x": p.runs(canary)})), DATA), r"refers to os\.system"
    )
    refused(
        tmp_path,
        good[: good.index(STATE)] + STATE + p.whole(p.runs(canary)),
        r"refers to os\.system",
    )
    assert not canary.exists()
