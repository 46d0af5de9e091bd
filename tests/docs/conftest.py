"""What the pages' commands run in.

A folder with the files that they name, and a terminal of 100 columns.
"""

import io
import os
import re
import shlex
import shutil
import signal
import sys
from contextlib import chdir
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import weightscope as ws
from tests.fits import fitted_once
from tests.sketched import measured_once
from weightscope.cli.app import run
from weightscope.cli.exits import guarded

WIDTH = 100
LINEAGE = Path(__file__).parents[2] / "docs" / "lineage.md"


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal, or only leads to one."""

    def __init__(self, buffer, terminal):
        super().__init__(buffer, encoding="utf-8", write_through=True)
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.fixture(scope="module", autouse=True)  # folders of tests are no packages
def tensors_are_measured_once():
    """The pages measure the demo a hundred times."""
    with fitted_once(), measured_once():
        yield


@pytest.fixture(scope="package")
def models(tmp_path_factory):
    """The folder of small models that each command gets a copy of."""
    folder = tmp_path_factory.mktemp("models")
    with fitted_once(), measured_once():
        small_models(folder)
        planted_models(folder)
    before = contents(folder)
    yield folder
    assert contents(folder) == before  # the links of the commands lead to these files


def contents(folder):
    """The bytes of every file of a folder."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def weightscope(monkeypatch, tmp_path, models):
    """Runs `weightscope ...` as typed in a shell, in a folder of small models.

    Its exit code, and what is seen.
    """
    # links: reports replace a file and never write into it, so that all may share one
    shutil.copytree(models, tmp_path, copy_function=os.link, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(WIDTH))

    def command(line, terminal=True):
        seen = io.BytesIO()
        out, err = Terminal(seen, terminal), Terminal(seen, False)
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", out)
            patched.setattr(sys, "stderr", err)
            patched.setattr(signal, "signal", lambda number, handler: None)
            code = guarded(partial(run, shlex.split(line)[1:]))
        out.detach(), err.detach()
        return code, seen.getvalue().decode("utf-8")

    return command


def small_models(folder: Path):
    """`model.safetensors`, `model.pth`, `model/`, `base/`, `new/`, steps, tunings, seeds.

    A report `base.parquet`; a `base`, one `downloaded` with odd tokens; a `deep` one of 24 layers.
    """
    torch.manual_seed(0)
    names = [f"model.layers.{i}.mlp.{m}_proj.weight" for i in range(2) for m in ("gate", "down")]
    tensors = {name: torch.randn(32, 48) * 0.02 for name in names}
    tensors["model.layers.0.input_layernorm.weight"] = torch.ones(48)
    steps = ("step0", "step1", "step2", "step400", "step1600")
    tunings = ("tuned", "tuned-1", "tuned-2", "seed-1", "seed-2", "seed-3")
    for place in ("model", "base", "new", *steps, *tunings):
        (folder / place).mkdir()
        save_file(tensors, folder / place / "model.safetensors")
    save_file(tensors, folder / "model.safetensors")
    torch.save({"model": tensors, "epoch": 3}, folder / "model.pth")
    ws.fit(folder / "model.safetensors").save(folder / "base.parquet")
    for name in ("new", "step0", "step400", "step1600", "merged"):
        save_file(tensors, folder / f"{name}.safetensors")
    words = torch.randn(500, 48) * 0.02
    save_file(tensors | {"model.embed_tokens.weight": words}, folder / "base.safetensors")
    doctored = words.clone()
    doctored[[11, 73, 205, 340, 488]] = torch.randn(48) * 0.02
    save_file(tensors | {"model.embed_tokens.weight": doctored}, folder / "downloaded.safetensors")
    save_file(deep(), folder / "deep.safetensors")


def planted_models(folder: Path):
    """What the Python blocks of the page on lineage write: they are one script."""
    blocks = re.findall(r"^```python\n(.*?)^```$", LINEAGE.read_text("utf-8"), re.M | re.S)
    script = compile("\n".join(blocks), str(LINEAGE), "exec")
    with chdir(folder):
        exec(script, {"__name__": "page"})


def deep():
    """24 layers of Gaussian matrices; std of writers falls as 1/sqrt(layer + 1), layer 7 is odd."""
    sizes = {
        "self_attn.q_proj": (32, 32),
        "self_attn.k_proj": (32, 32),
        "self_attn.v_proj": (32, 32),
        "self_attn.o_proj": (32, 32),
        "mlp.up_proj": (64, 32),
        "mlp.down_proj": (32, 64),
    }
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for layer in range(24):
        for name, size in sizes.items():
            std = 0.02
            if name in ("self_attn.o_proj", "mlp.down_proj"):
                std /= (layer + 1) ** 0.5
            if name == "self_attn.v_proj" and layer == 7:
                std *= 2
            tensors[f"model.layers.{layer}.{name}.weight"] = (
                torch.randn(size, generator=generator) * std
            )
    return tensors
