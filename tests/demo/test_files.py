from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

import weightscope.demo
from weightscope.demo import model, train
from weightscope.demo.grammar import BASE, SHIFTED

FOLDER = Path(weightscope.demo.__file__).parent
START, END, LORA = FOLDER / "gpt-start.safetensors", FOLDER / "gpt.safetensors", FOLDER / "gpt-lora"
ADAPTER = "adapter_model.safetensors"
RECIPE = train.Recipe()


def kurtosis(weight: torch.Tensor) -> float:
    centred = weight.double() - weight.double().mean()
    return ((centred**4).mean() / (centred**2).mean() ** 2).item() - 3


@pytest.mark.parametrize("path", [START, END])
def test_models_have_the_recipe_s_tensors_in_bfloat16(path: Path) -> None:
    """Names, shapes and dtype are those of the recipe, and the metadata says who made the file."""
    tensors = load_file(path)
    assert {name: tuple(t.shape) for name, t in tensors.items()} == model.sizes(RECIPE.shape)
    assert {t.dtype for t in tensors.values()} == {torch.bfloat16}
    with safe_open(path, "pt") as file:
        assert file.metadata() == {"format": "pt", "made_by": "weightscope.demo.train", "seed": "0"}


def test_all_files_together_stay_small() -> None:
    """What every install carries is under 4 MB."""
    assert sum(path.stat().st_size for path in (START, END, *LORA.iterdir())) < 4_000_000


def test_the_start_is_gaussian_with_the_stated_deviations() -> None:
    """Every matrix of the start has its stated deviation, mean zero and no excess kurtosis.

    Norms are one.
    """
    for name, weight in load_file(START).items():
        if weight.ndim == 1:
            assert torch.equal(weight, torch.ones_like(weight))
            continue
        n, std = weight.numel(), model.std(name, RECIPE.shape)
        assert weight.double().std().item() == pytest.approx(std, rel=4 * (2 * n) ** -0.5)
        assert abs(weight.double().mean().item()) < 4 * std * n**-0.5
        assert abs(kurtosis(weight)) < 4 * (24 / n) ** 0.5


def test_the_start_repeats_from_its_seed() -> None:
    """The stored start is what the seed draws today, up to the last bit.

    In which processors may differ.
    """
    drawn, stored = (
        model.start(RECIPE.shape, torch.Generator().manual_seed(RECIPE.seed)),
        load_file(START),
    )
    assert all(
        torch.allclose(stored[name].float(), drawn[name], rtol=2**-7, atol=1e-6) for name in stored
    )


def test_training_left_the_gaussian_start_behind() -> None:
    """Every trained matrix is elsewhere, and in most the tails are heavier than Gaussian."""
    start, end = load_file(START), load_file(END)
    matrices = [name for name in start if start[name].ndim == 2]
    assert all(
        (end[name] - start[name]).float().std() > start[name].float().std() for name in matrices
    )
    assert sum(kurtosis(end[name]) > 0.2 for name in matrices) > 0.7 * len(matrices)


def test_the_trained_model_speaks_the_language() -> None:
    """The stored bf16 model's loss on unseen text is a third of the start's.

    And the adapter helps on shifted text.
    """
    start, end, pairs = (
        {k: v.float() for k, v in load_file(p).items()} for p in (START, END, LORA / ADAPTER)
    )
    texts = next(train.batches(BASE, train.HELD_OUT, RECIPE.base))
    shifted = next(train.batches(SHIFTED, train.HELD_OUT, RECIPE.tune))
    adapted = model.adapted(end, pairs, RECIPE.alpha / RECIPE.rank)
    assert model.loss(end, texts, RECIPE.shape) < 0.4 * model.loss(start, texts, RECIPE.shape)
    assert model.loss(adapted, shifted, RECIPE.shape) < model.loss(end, shifted, RECIPE.shape) - 0.5


def test_the_adapter_pairs_as_its_config_says() -> None:
    """Each adapted module has A and B of the config's rank, under PEFT's names.

    And every layer is adapted.
    """
    config, pairs = (
        json.loads((LORA / "adapter_config.json").read_text()),
        load_file(LORA / ADAPTER),
    )
    assert (config["peft_type"], config["r"], config["lora_alpha"]) == ("LORA", 4, 8)
    modules = {name.rpartition(".lora_")[0] for name in pairs}
    assert set(pairs) == {f"{module}.lora_{part}.weight" for module in modules for part in "AB"}
    assert modules == {
        f"base_model.model.model.layers.{layer}.self_attn.{target}"
        for layer in range(RECIPE.shape.layers)
        for target in config["target_modules"]
    }
    assert {tuple(t.shape) for name, t in pairs.items() if "lora_A" in name} == {(4, 128)}
    assert {tuple(t.shape) for name, t in pairs.items() if "lora_B" in name} == {(128, 4)}
    assert {t.dtype for t in pairs.values()} == {torch.bfloat16}


def test_importing_the_demo_loads_no_torch() -> None:
    """The folder is data to everyone but the script."""
    code = "import sys, weightscope.demo, weightscope.demo.grammar; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
