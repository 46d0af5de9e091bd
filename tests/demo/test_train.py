from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from weightscope.demo import train
from weightscope.demo.grammar import BASE, Writer
from weightscope.demo.lexicon import vocabulary
from weightscope.demo.model import Shape
from weightscope.demo.train import Pace, Recipe

QUICK = Pace(steps=2, rate=1e-2, decay=0.0, warmup=1, texts=2, length=8)
SMALL = Shape(vocab=len(vocabulary()), width=8, inner=8, layers=1, heads=2)
TINY = Recipe(shape=SMALL, base=QUICK, tune=QUICK, rank=2)
FILES = (
    "gpt-start.safetensors",
    "gpt.safetensors",
    "gpt-lora/adapter_model.safetensors",
    "gpt-lora/adapter_config.json",
)


class Compiler(ModuleType):
    """All that optimisers ask of torch's compiler: it gives back what it is given."""

    def __getattr__(self, name: str) -> Callable[..., object]:
        return lambda method=None, *more, **options: method


@pytest.fixture(scope="module", autouse=True)
def compiler_stays_away() -> Iterator[None]:
    """Torch would import it, for more than a second, to leave the optimiser out of it."""
    with pytest.MonkeyPatch.context() as patched:
        compiler = Compiler("torch._dynamo")
        patched.setitem(sys.modules, "torch._dynamo", compiler)
        patched.setitem(vars(torch), "_dynamo", compiler)
        yield


def hashes(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}


def test_training_repeats_itself_bit_for_bit(tmp_path: Path) -> None:
    """Two runs of one recipe write the same bytes, and another seed writes others."""
    first, second = train.train(tmp_path / "a", TINY), train.train(tmp_path / "b", TINY)
    assert first == second
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    train.train(tmp_path / "c", replace(TINY, seed=1))
    ours, others = hashes(tmp_path / "a"), hashes(tmp_path / "c")
    assert [name for name in FILES if ours[name] == others[name]] == [
        "gpt-lora/adapter_config.json"
    ]


def test_training_moves_the_weights_and_tuning_the_adapter_alone(tmp_path: Path) -> None:
    """Every matrix leaves its start; the adapter's B leaves zero."""
    train.train(tmp_path, TINY)
    start, end, pairs = (load_file(tmp_path / name) for name in FILES[:3])
    assert all(not torch.equal(start[name], end[name]) for name in start if start[name].ndim > 1)
    assert all(t.abs().max() > 0 for name, t in pairs.items() if "lora_B" in name)


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    """A few steps already learn the frequent words."""
    brief = replace(QUICK, steps=30, texts=4)
    losses = train.train(tmp_path, replace(TINY, base=brief, tune=brief))
    assert losses["end"] < losses["start"] - 0.3
    assert losses["adapted"] < losses["shifted"]


def test_stored_files_keep_names_values_and_ordered_metadata(tmp_path: Path) -> None:
    """The library reads back what was stored, rounded to bfloat16.

    With the metadata in one order.
    """
    tensors = {
        "b": torch.randn(3, 2, generator=torch.Generator().manual_seed(0)),
        "a": torch.ones(2),
    }
    (tmp_path / "x.safetensors").write_bytes(train.stored(tensors, 7))
    back = load_file(tmp_path / "x.safetensors")
    assert all(torch.equal(back[name], t.bfloat16()) for name, t in tensors.items())
    with safe_open(tmp_path / "x.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt", "made_by": "weightscope.demo.train", "seed": "7"}
    assert len({train.stored(tensors, 7) for _ in range(20)}) == 1


def test_the_rate_warms_up_and_cools_down() -> None:
    """The rate rises to its peak, never rises again, and ends at a tenth."""
    pace = Pace(steps=60, rate=2.0, decay=0.0, warmup=10)
    rates = [train.rate(step, pace) for step in range(60)]
    assert rates[9] == max(rates) == 2.0
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.2)


def test_batches_are_one_text_cut_in_order() -> None:
    """Batches do not overlap, and together they are the writer's text."""
    pace = replace(QUICK, texts=3, length=4)
    cut = torch.cat([batch.flatten() for batch in islice(train.batches(BASE, 5, pace), 4)])
    words = islice(Writer(BASE, 5).words(), len(cut))
    assert [vocabulary()[token] for token in cut] == list(words)


def test_the_recipe_fits_the_vocabulary() -> None:
    """Every word has an embedding, and no embedding is without a word."""
    assert Recipe().shape.vocab == len(vocabulary())


def test_main_trains_into_the_folder_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command writes all files and prints the losses as its last line."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    # the public function configures the compiler too, and imports it for that
    monkeypatch.setattr(
        torch, "use_deterministic_algorithms", torch._C._set_deterministic_algorithms
    )
    monkeypatch.setattr(train, "Recipe", lambda: TINY)
    monkeypatch.setattr("sys.argv", ["train", str(tmp_path)])
    try:
        train.main()
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict)
    assert all((tmp_path / name).is_file() for name in FILES)
    assert set(json.loads(capsys.readouterr().out.splitlines()[-1])) == {
        "start",
        "end",
        "shifted",
        "adapted",
    }
