"""What may be typed as a source, and what config.json adds."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkpoints.corpus import built, entry, write, zeros
from tests.noted import told
from weightscope.checkpoints import Opening, open_checkpoint
from weightscope.checkpoints.open import DEMOS, uncollected
from weightscope.errors import CheckpointError, UsageError
from weightscope.escape import escaped
from weightscope.order import natural

DATA = Path(__file__).parents[3] / "shared" / "data"


def test_source_is_as_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source stays as the user typed it; a relative path will do."""
    write(tmp_path / "m.safetensors", zeros("w"))
    monkeypatch.chdir(tmp_path)
    found = open_checkpoint("m.safetensors")
    assert (found.source, found.files[0][0]) == ("m.safetensors", "m.safetensors")
    assert open_checkpoint(Path("m.safetensors")).tensors == found.tensors


@pytest.mark.parametrize("url", ["hf://org/name", "s3://bucket/x", "https://host/x.safetensors"])
def test_addresses(url: str) -> None:
    """Addresses are refused: this version reads local files."""
    with pytest.raises(
        CheckpointError, match=f"{url}: .*this version reads local files only; download it first"
    ):
        open_checkpoint(url)


def test_looks_like_a_repository() -> None:
    """A missing org/name gets the spelling of the Hub, and nothing goes to the network."""
    with pytest.raises(
        CheckpointError,
        match=r"org/na.me: expected an existing file .*is written hf://org/na\.me; download",
    ):
        open_checkpoint("org/na.me")


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("org/na.me", "hf download org/na.me --local-dir na.me"),
        ("hf://org/name", "hf download org/name --local-dir name"),
        ("hf://org/name@v1/x.safetensors", "hf download org/name --revision v1 --local-dir name"),
        ("https://huggingface.co/org/name/resolve/main/x.bin", "hf download org/name --local"),
    ],
)
def test_a_model_of_the_hub_gets_its_download_command(typed: str, command: str) -> None:
    """The command of the Hub's own client, with the revision that was typed."""
    with pytest.raises(CheckpointError, match=f"download it first: `{command}"):
        open_checkpoint(typed)


@pytest.mark.parametrize("typed", ["s3://bucket/name", "https://host/org/name", "hf://org/$(x)"])
def test_other_addresses_get_no_command(typed: str) -> None:
    """And a name that no model of the Hub can have never becomes a command."""
    with pytest.raises(CheckpointError, match="download it first and name the file"):
        open_checkpoint(typed)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("missing.safetensors", "missing.safetensors does not exist"),
        ("a/b/c", "does not exist"),
        ("", "does not exist"),
        ("a\0b", "holds a NUL character"),
        ("x" * 5000, "File name too long"),
    ],
)
def test_missing(path: str, text: str) -> None:
    """What is not there is refused with exit code 3."""
    with pytest.raises(CheckpointError, match=text) as fault:
        open_checkpoint(path)
    assert fault.value.code == 3


def test_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo's name leads into the package; an unknown one lists those there are."""
    monkeypatch.setattr("weightscope.checkpoints.open.DEMO", str(tmp_path))
    for name, file in DEMOS.items():
        write(
            tmp_path / file / "adapter_model.safetensors" if "." not in file else tmp_path / file,
            zeros("w"),
        )
        assert open_checkpoint(f"demo:{name}").source == f"demo:{name}"
    with pytest.raises(
        UsageError, match="expected one of demo:gpt, demo:gpt-start, demo:gpt-lora; found demo:gtp"
    ):
        open_checkpoint("demo:gtp")


CONFIGS = {  # what config.json holds -> (flag or note, its text)
    "135 tied": ({"tie_word_embeddings": True}, "notes", "word embeddings are tied"),
    "135 untied": (
        {"tie_word_embeddings": False, "architectures": ["XForCausalLM"]},
        "flags",
        "no lm_head is stored",
    ),
    "136 width": (
        {"hidden_size": 77},
        "flags",
        "config.json states hidden_size 77, no tensor has such a dimension",
    ),
    "136 inner width": ({"text_config": {"hidden_size": 77}}, "flags", "hidden_size 77"),
    "136 array": ([], "flags", "config.json is not a JSON object: names only"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_config(case: str, tmp_path: Path) -> None:
    """Rows 135, 136: config.json yields a note, or a flag where it contradicts the tensors."""
    config, kind, text = CONFIGS[case]
    write(tmp_path / "model.safetensors", zeros("embed.weight"))
    write(tmp_path / "config.json", json.dumps(config).encode())
    for source in (tmp_path, tmp_path / "model.safetensors"):
        assert any(text in line for line in getattr(open_checkpoint(source), kind))


def test_tied_and_stored(tmp_path: Path) -> None:
    """Row 135: tied embeddings with a head of their own contradict each other."""
    write(tmp_path / "model.safetensors", zeros("embed.weight", "lm_head.weight"))
    write(tmp_path / "config.json", b'{"tie_word_embeddings": true, "hidden_size": 3}')
    assert open_checkpoint(tmp_path).flags == (
        "config.json ties the word embeddings, yet lm_head.weight is stored separately",
    )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"{", "config.json: expected valid JSON"),
        (b"\xff", "not UTF-8"),
        (b"[" * 999, "at most 64 levels"),
        (b"", "JSON"),
    ],
)
def test_broken_config(data: bytes, text: str, tmp_path: Path) -> None:
    """Row 136: a broken config.json is a flag, names alone decide."""
    write(tmp_path / "model.safetensors", zeros("w"))
    write(tmp_path / "config.json", data)
    found = open_checkpoint(tmp_path)
    assert found.config == {}
    assert text in found.flags[0]
    assert found.flags[0].endswith("names only")


def test_oversized_config(tmp_path: Path) -> None:
    """Row 136: an oversized config.json, or one that is a pipe, is not read."""
    write(tmp_path / "model.safetensors", zeros("w"))
    with open(tmp_path / "config.json", "wb") as file:
        file.truncate((16 << 20) + 1)
    assert "has 16777217 bytes, at most 16777216 are read" in open_checkpoint(tmp_path).flags[0]
    os.unlink(tmp_path / "config.json")
    os.mkfifo(tmp_path / "config.json")
    assert "is a named pipe" in open_checkpoint(tmp_path).flags[0]


def test_stranger_config(tmp_path: Path) -> None:
    """A file of any other name does not take up a config.json that happens to lie beside it."""
    write(tmp_path / "config.json", b"{")
    found = open_checkpoint(write(tmp_path / "step100.safetensors", zeros("w")))
    assert (found.config, found.flags) == ({}, ())


def test_buffers_are_measurable(tmp_path: Path) -> None:
    """Row 134: integers and masks open like the rest; what they are is the naming's matter."""
    header = {"position_ids": entry("I64", [3], [0, 24])}
    leaf = open_checkpoint(write(tmp_path / "x.safetensors", built(header))).tensors[0]
    assert (leaf.dtype, leaf.measurable, told(leaf)) == ("I64", True, "")


def test_collector_is_restored() -> None:
    """The cycle collector pauses for an opening and comes back, or stays off where it was."""
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_light(tmp_path: Path) -> None:
    """Opening a file loads neither torch nor numpy."""
    code = (
        "import sys; from weightscope.checkpoints import open_checkpoint; "
        "open_checkpoint(sys.argv[1]); "
        "assert not {'torch', 'numpy', 'pandas', 'scipy'} & sys.modules.keys()"
    )
    path = write(tmp_path / "x.safetensors", zeros(*(f"h.{i}.w" for i in range(1000))))
    subprocess.run([sys.executable, "-c", code, path], check=True, timeout=20)


def test_natural_order() -> None:
    """Numbers count as numbers, however long; a name that is a prefix of another comes first."""
    names = ["a1b2", "a1b", "a", "", "a10", "a2", "a" + "9" * 5000, "b", "1", "01", "a1"]
    assert sorted(names, key=natural) == [
        "",
        "01",
        "1",
        "a",
        "a1",
        "a1b",
        "a1b2",
        "a2",
        "a10",
        "a" + "9" * 5000,
        "b",
    ]


def test_escaped() -> None:
    """Everything invisible becomes visible; letters of any script stay."""
    assert escaped("a\n\x1b\u202e\udcff\u00fc\u4e2d") == "a\\n\\x1b\\u202e\\udcff\u00fc\u4e2d"


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared checkpoints are not here")
def test_shared_checkpoints() -> None:
    """The real checkpoints open, or are refused for what they are."""
    sizes = {
        "gpt6/gpt6_seed0_step00000.safetensors": (76, 0),
        "gpt6/lora": (24, 12),
        "lora_disney/lora_disney.safetensors": (386, 192),
        "stories260k/stories260K_f32.safetensors": (47, 0),
        "resnet_cifar/resnet56-4bfd9763.th": (277, 0),
        "onet/onet.pt": (21, 0),
        "rfb320/version-RFB-320.pth": (244, 0),
    }
    for name, size in sizes.items():
        found = open_checkpoint(DATA / name, Opening(strict=True))
        assert (len(found.tensors), len(found.pairs)) == size
    with pytest.raises(CheckpointError, match="GGUF"):
        open_checkpoint(DATA / "stories260k" / "stories260K_q8_0.gguf")
    with pytest.raises(CheckpointError, match="DeepQNetwork"):
        open_checkpoint(DATA / "whole_module" / "tetris")


@pytest.mark.parametrize("source", [5, None, object()])
def test_neither_a_path_nor_tensors(source: object) -> None:
    """Another object is a usage error that says what to pass."""
    with pytest.raises(
        UsageError, match=r"expected a path.*found (int|NoneType|object); of a torch module"
    ):
        open_checkpoint(source)  # type: ignore[arg-type]
