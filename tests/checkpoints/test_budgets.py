"""Memory and time of parsers: bounded by the bytes read and the tensors, refused beyond it.

The peak of Python's own allocations is measured, at sizes that keep the tests short: limits are
lowered in proportion.
"""

import tracemalloc

import pytest

from weightscope.checkpoints import Opening, limits, open_checkpoint, strict_json
from weightscope.checkpoints.readers import machine, pickle_scan
from weightscope.checkpoints.readers.operations import OPERATIONS
from weightscope.checkpoints.readers.placeholders import Unknown
from weightscope.checkpoints.readers.raw_file import Stream, opened
from weightscope.errors import CheckpointError

MIB = 1 << 20
SMALL = 2 * MIB  # of texts and of the limit in these tests


@pytest.fixture
def lowered(monkeypatch):
    """Limits of a hundredth."""
    monkeypatch.setattr(limits, "PARSED", SMALL)


def peak(call):
    """Bytes that Python allocated at the same time."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def repeated(head, part, tail):
    return head + part * (SMALL // 10 // len(part)) + tail


HEAVY = {
    "objects": repeated(b'{"a":[', b"{},", b"1]}"),
    "nested objects": repeated(b'{"a":[', b'{"b":{}},', b"1]}"),
    "arrays": repeated(b'{"a":[', b"[],", b"1]}"),
    "numbers": repeated(b'{"a":[', b"300,", b"1]}"),
    "texts": repeated(b'{"a":[', b'"",', b'"b"]}'),
    "pairs": repeated(b"{", b'"a":0,', b'"b":0}'),
    "texts with brackets": repeated(b'{"a":[', b'"[{",', b'"b"]}'),
}


@pytest.mark.parametrize("text", HEAVY.values(), ids=HEAVY)
def test_json_of_heavy_values_is_refused(monkeypatch, text):
    """Before it is parsed, with the memory that it would take."""
    monkeypatch.setattr(limits, "PARSED", MIB)
    monkeypatch.setattr(strict_json, "_CHUNK", 4096)

    def parse():
        with pytest.raises(
            CheckpointError, match="a test: expected values that take at most 1 MiB"
        ):
            strict_json.parse(text, "a test")

    assert peak(parse) < MIB + 4 * len(text)


@pytest.mark.parametrize("text", HEAVY.values(), ids=HEAVY)
def test_the_estimate_is_no_less_than_the_memory(monkeypatch, text):
    """What is accepted stays below the limit, four times the text included."""
    monkeypatch.setattr(limits, "PARSED", 1 << 40)
    monkeypatch.setattr(strict_json, "_CHUNK", 4096)
    needed = sum(
        cost * strict_json._structure(text).count(sign) for sign, cost in strict_json.COSTS.items()
    )
    assert peak(lambda: strict_json.parse(text, "a test")) < 1.3 * needed + 4 * len(text)


def header(count):
    """A header of `count` tensors with short names and shapes, the least bytes a tensor takes."""
    entry = '"t%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    return ("{" + ",".join(entry % number for number in range(count)) + "}").encode()


def test_honest_files_are_below_the_limit(tmp_path, monkeypatch):
    """Short names and shapes in a header, an index and metadata, without any fixed allowance."""
    monkeypatch.setattr(limits, "PARSED", 0)
    raw = header(2000)
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(raw).to_bytes(8, "little") + raw)
    assert len(open_checkpoint(str(path)).tensors) == 2000
    index = tmp_path / "model.safetensors.index.json"
    pairs = ",".join(f'"t{number}": "model.safetensors"' for number in range(2000))
    index.write_text(f'{{"metadata": {{}}, "weight_map": {{{pairs}}}}}')
    assert len(open_checkpoint(str(index)).tensors) == 2000


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_strings_are_left_out_at_every_cut(monkeypatch, size):
    """Chunks that end within a string, an escape or a pair of quotes."""
    monkeypatch.setattr(strict_json, "_CHUNK", size)
    text = rb'{"a\"[{": ["\\", "{", ""], "": {"[[": "\\\"]"}}'
    assert strict_json._structure(text) == b'{"": ["", "", ""], "": {"": ""}}'


def test_a_config_of_heavy_values_is_a_flag(tmp_path, lowered):
    """As any broken config: the tensors are read, by their names only."""
    raw = header(1)
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(raw).to_bytes(8, "little") + raw)
    (tmp_path / "config.json").write_bytes(b'{"a":[' + b"{}," * 40_000 + b"1]}")
    flags = open_checkpoint(str(path), Opening()).flags
    assert len(flags) == 1
    assert "config.json: expected values that take at most 2 MiB" in flags[0]
    assert flags[0].endswith("names only")


PICKLES = {
    "extensions": b"".join(b"\x84" + i.to_bytes(4, "little") for i in range(20_000)),
    "names": b"".join(b"cm%d\nn\n" % i for i in range(20_000)),
    "texts": b"cos\nsystem\n" + b"\x8c\x01a\x94" * 20_000,
}


@pytest.mark.parametrize("content", PICKLES.values(), ids=PICKLES)
def test_the_scan_of_a_refused_pickle_has_a_budget(monkeypatch, content):
    """Operations and names, over all pickles of a file together."""
    monkeypatch.setattr(pickle_scan, "STEPS", 5000)
    steps = []
    genops = pickle_scan.pickletools.genops

    def counted(stream):
        for operation in genops(stream):
            steps.append(1)
            yield operation

    monkeypatch.setattr(pickle_scan.pickletools, "genops", counted)
    names = pickle_scan.wanted(b"\x80\x02" + content + b".")
    assert 1 <= len(names) <= pickle_scan.NAMES
    assert len(steps) <= 5001
    steps.clear()
    assert pickle_scan.wanted(b"\x80\x02K\x01." * 5000 + b"cos\nsystem\n.", 10**6) == ()
    assert len(steps) <= 5001


def test_one_byte_operations_are_bounded_by_the_bytes(tmp_path, monkeypatch):
    """A file of empty dicts is refused; torch writes seven bytes an operation."""
    monkeypatch.setattr(machine, "FEW", 1000)
    path = tmp_path / "dicts.pt"
    path.write_bytes(b"\x80\x02" + b"}" * 5000 + b".")
    raw = opened(str(path))
    stream = Stream(raw, 0, raw.size)
    with pytest.raises(CheckpointError, match="a pickle of at most 1142 operations for its length"):
        machine.Machine(stream, lambda value: value, OPERATIONS, Unknown()).run()
