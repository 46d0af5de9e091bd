"""The archive is held to what torch writes; every liberty of the zip format is refused by name."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from pathlib import Path

import pytest
import torch

from tests.checkpoints import pickles as p
from weightscope.checkpoints import limits
from weightscope.checkpoints.readers.torch_file import read
from weightscope.errors import CheckpointError

STATE = p.whole(p.mapping({"w": p.tensor()}))
GOOD = p.archive(STATE)


def refused(tmp_path: Path, raw: bytes, match: str) -> None:
    path = tmp_path / "m.pt"
    path.write_bytes(raw)
    with pytest.raises(CheckpointError, match=match) as caught:
        read(str(path))
    assert all((caught.value.expected, caught.value.found, caught.value.advice))


def member(raw: bytes, name: str) -> tuple[int, int]:
    """(byte of the local header, byte of the central header) of a member."""
    word = f"archive/{name}".encode()
    return raw.index(word) - 30, raw.rindex(word) - 46


def put(raw: bytes, at: int, new: bytes) -> bytes:
    return raw[:at] + new + raw[at + len(new) :]


def shifted(raw: bytes, by: int, fill: bytes) -> bytes:
    """The same archive `by` bytes further on, every offset in it adjusted."""
    start = struct.unpack("<I", raw[-6:-2])[0]
    out, at = bytearray(raw), start
    while raw[at : at + 4] == b"PK\x01\x02":
        out[at + 42 : at + 46] = struct.pack(
            "<I", struct.unpack("<I", raw[at + 42 : at + 46])[0] + by
        )
        named, extra = struct.unpack("<HH", raw[at + 28 : at + 32])
        at += 46 + named + extra
    out[-6:-2] = struct.pack("<I", start + by)
    return fill + bytes(out)


def test_plain_archive(tmp_path: Path) -> None:
    """The archive that the others are made from is good, and its data lies where it says."""
    (leaf,) = read(str(p.plain_zip(tmp_path / "m.pt"))).tensors
    assert (leaf.name, leaf.dims, leaf.dtype) == ("w", (2, 3), "F32")
    assert leaf.offset == GOOD.index(b"archive/data/0") + len("archive/data/0")


def test_code_in_the_pickle(tmp_path: Path) -> None:
    """A call of os.system in data.pkl is named and not made."""
    canary = tmp_path / "canary"
    body = p.mapping({"w": p.tensor(), "x": p.runs(canary), "y": p.named("builtins", "exec")})
    refused(
        tmp_path,
        p.archive(p.whole(body)),
        r"refers to builtins\.exec, os\.system; nothing was executed",
    )
    assert not canary.exists()


def test_compressed_bomb(tmp_path: Path) -> None:
    """Compressed records are refused before anything is unpacked."""
    raw = p.archive(STATE, {"data/0": bytes(20_000_000)}, method=zipfile.ZIP_DEFLATED)
    assert len(raw) < 100_000
    refused(tmp_path, raw, r"archive/data\.pkl to be stored as it is; found compression method 8")


@pytest.mark.parametrize(
    ("records", "match"),
    [
        ({"data/0": bytes(23)}, "expected 24 bytes in record data/0; found 23"),
        ({"data/0": bytes(25)}, "expected 24 bytes in record data/0; found 25"),
        ({}, "expected a record data/0; found none: data is missing"),
        ({"data/0": bytes(24), "constants.pkl": b""}, r"TorchScript archive .*torch\.jit\.load"),
        ({"data/0": bytes(24), "code/m.py": b""}, "TorchScript archive"),
        ({"data/0": bytes(24), "DATA/0": bytes(24)}, "names that differ in case only"),
        ({"data/0": bytes(24), "../evil": b""}, r"expected plain record names; found \.\./evil"),
    ],
)
def test_records(tmp_path: Path, records: dict[str, bytes], match: str) -> None:
    """Each storage has one record of its size, and names are plain."""
    refused(tmp_path, p.archive(STATE, records), match)


@pytest.mark.parametrize("name", ["constants.pkl", "code/m.py", "code/__torch__.py.debug_pkl"])
def test_compressed_script(tmp_path: Path, name: str) -> None:
    """A TorchScript archive is named as such, though torch compresses its code."""
    raw = p.archive(STATE, {"data/0": bytes(24), name: bytes(900)}, method=zipfile.ZIP_DEFLATED)
    refused(
        tmp_path,
        raw,
        r"expected a state dict; found a TorchScript archive \(it holds code\); "
        r"load it with torch\."
        r"jit\.load and save `model\.state_dict\(\)`",
    )


def test_real_script(tmp_path: Path) -> None:
    """What torch.jit.save writes is named for what it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its script deprecated
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), str(tmp_path / "s.pt"))
    refused(tmp_path, (tmp_path / "s.pt").read_bytes(), "found a TorchScript archive")


@pytest.mark.parametrize("name", ["byteorder2", "/x", "data/1", "notes.txt"])
def test_records_that_nobody_names(tmp_path: Path, name: str) -> None:
    """What no tensor names is not read, and flagged."""
    (tmp_path / "m").write_bytes(p.archive(STATE, {"data/0": bytes(24), name: b"x"}))
    assert (
        read(str(tmp_path / "m"))
        .flags[0]
        .startswith("1 records that no tensor names were not read: ")
    )


def test_sizes_that_do_not_fit(tmp_path: Path) -> None:
    """A pickled size of 2**31 elements over 24 bytes, and views outside their storage: refused."""
    for held, match in (
        (p.tensor(numel=1 << 31), "expected 8589934592 bytes in record data/0; found 24"),
        (p.tensor(size=(2, 4), stride=(4, 1)), r"outside its storage 0 \(byte 32 of 24\) at byte "),
        (p.tensor(offset=1), r"byte 28 of 24"),
        (p.tensor(stride=(1 << 40, 1)), "outside its storage"),
        (p.tensor(size=(1 << 62, 4), stride=(0, 0)), r"more than 2\^63 elements"),
    ):
        refused(tmp_path, p.archive(p.whole(p.mapping({"w": held}))), match)


def test_missing_pickle(tmp_path: Path) -> None:
    """An archive without data.pkl holds no checkpoint."""
    raw = GOOD.replace(b"archive/data.pkl", b"archive/dato.pkl")
    refused(tmp_path, raw, r"expected a record data\.pkl; found none: dato\.pkl")


@pytest.mark.parametrize("cut", [1, 30, 200, len(GOOD) - 40])
def test_truncated(tmp_path: Path, cut: int) -> None:
    """Without its end an archive is truncated."""
    refused(
        tmp_path,
        GOOD[:-cut],
        f"none in {len(GOOD) - cut} bytes: truncated, or bytes after the archive",
    )


def test_bytes_around(tmp_path: Path) -> None:
    """Nothing may stand before, between or behind the records."""
    refused(tmp_path, GOOD + b"x", "truncated, or bytes after the archive")
    refused(
        tmp_path,
        shifted(GOOD, 4, b"PK\x03\x04"),
        "expected a record at byte 0; .* at byte 4: a gap",
    )
    refused(tmp_path, b"PK\x03\x04" + GOOD, "expected one directory that ends the file")
    start = struct.unpack("<I", GOOD[-6:-2])[0]
    hole = GOOD[:start] + b"evil" + GOOD[start:-6] + struct.pack("<I", start + 4) + GOOD[-2:]
    refused(tmp_path, hole, f"expected the directory at byte {start}; found it at byte {start + 4}")


def test_concatenated_pickles(tmp_path: Path) -> None:
    """A second pickle behind the first is not overlooked."""
    canary = tmp_path / "canary"
    refused(
        tmp_path,
        p.archive(STATE + p.whole(p.runs(canary))),
        r"expected data\.pkl to end with its pickle",
    )
    assert not canary.exists()


def test_duplicate_names(tmp_path: Path) -> None:
    """Two records of one name are two answers to one question."""
    raw = p.archive(STATE, {"data/0": bytes(24), "data/1": bytes(24)}).replace(b"data/1", b"data/0")
    refused(tmp_path, raw, "expected unique record names; found one name twice")


def test_prefixes(tmp_path: Path) -> None:
    """All records lie in one folder."""
    two = GOOD.replace(b"archive/version", b"another/version")
    refused(tmp_path, two, "expected one folder in the archive; found another, archive")
    refused(tmp_path, p.archive(STATE, prefix=""), "expected one folder in the archive")


def test_headers_differ(tmp_path: Path) -> None:
    """Local and central header say the same: name, size, method, flags, crc."""
    local, central = member(GOOD, "data/0")
    match = "expected local headers equal to the directory; found another for archive/data/0"
    refused(tmp_path, put(GOOD, local + 30, b"archive/data/1"), match)
    refused(tmp_path, put(GOOD, local + 22, struct.pack("<I", 20)), match)
    refused(tmp_path, put(GOOD, local + 8, b"\x08"), match)
    refused(tmp_path, put(GOOD, local + 14, b"\x01\x02"), match)
    refused(tmp_path, put(GOOD, local, b"XX"), match)
    refused(
        tmp_path,
        put(GOOD, central + 8, b"\x01"),
        "stored as it is; found compression method 0, flags 0x1",
    )
    refused(tmp_path, put(GOOD, central + 20, b"\x01"), "1 bytes for 24")
    refused(tmp_path, put(GOOD, central, b"XX"), "expected a directory entry; found none at byte")
    refused(tmp_path, put(GOOD, central + 42, b"\x01\x00"), "a gap, an overlap, or bytes before")


def test_names_that_are_no_text(tmp_path: Path) -> None:
    """Record names are UTF-8."""
    refused(
        tmp_path,
        GOOD.replace(b"archive/version", b"archive/\xff\xfeersio"),
        "expected record names in UTF-8",
    )


def test_record_outside(tmp_path: Path) -> None:
    """A record cannot reach into the directory."""
    local, central = member(GOOD, "version")
    size = struct.pack("<II", 4000, 4000)
    raw = put(put(GOOD, local + 18, size), central + 20, size)
    refused(tmp_path, raw, "expected archive/version to end before byte")


def test_directory_counts(tmp_path: Path) -> None:
    """The end record counts what is there."""
    short = put(GOOD, len(GOOD) - 12, struct.pack("<H", 3))
    refused(tmp_path, short, "expected 3 directory entries; found 61 bytes after")
    refused(
        tmp_path,
        put(GOOD, len(GOOD) - 12, struct.pack("<H", 0xFFFF)),
        "expected a zip64 locator; found none",
    )
    refused(
        tmp_path, put(GOOD, len(GOOD) - 18, b"\x01"), "expected one directory that ends the file"
    )


def test_byteorder(tmp_path: Path) -> None:
    """Any other byte order than little and big is refused."""
    refused(
        tmp_path,
        p.archive(STATE, byteorder=b"middle"),
        "expected the byteorder little or big; found b'middle'",
    )


def test_large_pickle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pickle has the limit of a header."""
    monkeypatch.setattr(limits, "HEADER", 600)
    body = p.mapping({"w": p.tensor(), "x": p.text("y" * 600)})
    refused(tmp_path, p.archive(p.whole(body)), r"expected a data\.pkl of at most 600 bytes")


def written(value: object) -> bytes:
    out = io.BytesIO()
    torch.save(value, out)
    return out.getvalue()


def test_torch_writes_zip64(tmp_path: Path) -> None:
    """The zip64 end that torch writes is followed, and held to its place."""
    raw = written({"w": torch.ones(3)})
    end = raw.rindex(b"PK\x06\x06")
    (tmp_path / "m").write_bytes(raw)
    assert [t.name for t in read(str(tmp_path / "m")).tensors] == ["w"]
    refused(
        tmp_path,
        put(raw, end + 76 - 12, struct.pack("<Q", end - 1)),
        f"expected a zip64 end at byte {end}",
    )
    refused(tmp_path, put(raw, end + 16, b"\x01"), "expected an archive in one part; found several")


def test_descriptors(tmp_path: Path) -> None:
    """The sizes that torch repeats behind each record must agree."""
    raw = written({"w": torch.ones(3)})
    at = raw.index(b"PK\x07\x08")
    refused(
        tmp_path,
        put(raw, at + 8, b"\x09"),
        r"expected the sizes of archive/data\.pkl again behind it",
    )


def test_wide_sizes(tmp_path: Path) -> None:
    """Zip64 fields in the headers, as large records have them, are read."""
    path = tmp_path / "m.pt"
    with zipfile.ZipFile(path, "w") as packed:
        for name, data in {"data.pkl": STATE, "data/0": bytes(24)}.items():
            with packed.open(zipfile.ZipInfo("archive/" + name), "w", force_zip64=True) as record:
                record.write(data)
    (leaf,) = read(str(path)).tensors
    assert leaf.offset == path.read_bytes().index(b"archive/data/0") + len("archive/data/0") + 20
