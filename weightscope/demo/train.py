"""Makes the demo checkpoints: `python -m weightscope.demo.train OUT_DIR`.

One thread, seeded generators, deterministic kernels: on one machine with one torch the files repeat
bit for bit; another CPU may add in another order and differ in the last bits. Text is generated
during training and never repeats. Training runs in float32, files are bfloat16. The schedule is
standard: AdamW, warm-up, cosine.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..lazy import Lazy, torch
from . import model
from .grammar import BASE, SHIFTED, Grammar, Writer
from .lexicon import vocabulary

if TYPE_CHECKING:
    from torch import Tensor

safetensors = Lazy("safetensors.torch")

HELD_OUT = 1_000_003  # the seed of texts that are not used in training


@dataclass(frozen=True)
class Pace:
    """How long and how fast one training runs."""

    steps: int
    rate: float
    decay: float
    warmup: int = 100
    texts: int = 16
    length: int = 64


@dataclass(frozen=True)
class Recipe:
    """Everything that determines the files."""

    shape: model.Shape = field(default_factory=model.Shape)
    base: Pace = field(default_factory=lambda: Pace(steps=6000, rate=3e-3, decay=0.1))
    tune: Pace = field(default_factory=lambda: Pace(steps=400, rate=2e-3, decay=0.0, warmup=20))
    rank: int = 4
    alpha: int = 8
    seed: int = 0


def batches(grammar: Grammar, seed: int, pace: Pace) -> Iterator[Tensor]:
    """Endless batches of tokens, (texts, length + 1), cut one after another from one text."""
    token = {word: index for index, word in enumerate(vocabulary())}
    words = Writer(grammar, seed).words()
    while True:
        cut = [token[word] for word in islice(words, pace.texts * (pace.length + 1))]
        yield torch.tensor(cut).view(pace.texts, -1)


def rate(step: int, pace: Pace) -> float:
    """The learning rate: a linear warm-up, then half a cosine down to a tenth.

    >>> pace = Pace(steps=110, rate=1.0, decay=0.0, warmup=10)
    >>> rate(9, pace), round(rate(109, pace), 2)
    (1.0, 0.1)
    """
    if step < pace.warmup:
        return pace.rate * (step + 1) / pace.warmup
    progress = (step + 1 - pace.warmup) / (pace.steps - pace.warmup)
    return pace.rate * (0.55 + 0.45 * math.cos(math.pi * progress))


def descend(
    weights: Mapping[str, Tensor],
    of: Callable[[Tensor], Tensor],
    texts: Iterator[Tensor],
    pace: Pace,
) -> None:
    """Train the weights in place; matrices decay, norms do not."""
    for weight in weights.values():
        weight.requires_grad_()
    matrices = [weight for weight in weights.values() if weight.ndim > 1]
    norms = [weight for weight in weights.values() if weight.ndim == 1]
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": pace.decay},
        {"params": norms, "weight_decay": 0.0},
    ]
    present = [group for group in groups if group["params"]]  # an adapter has no norms
    optimizer = torch.optim.AdamW(present, betas=(0.9, 0.95), fused=True)
    for step in range(pace.steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, pace)
        error = of(next(texts))
        optimizer.zero_grad()
        torch.autograd.backward(error)
        torch.nn.utils.clip_grad_norm_(list(weights.values()), 1.0)
        optimizer.step()
        if step % 200 == 0 or step + 1 == pace.steps:
            print(f"step {step} loss {error.item():.4f}", flush=True)


def held_out(of: Callable[[Tensor], Tensor], grammar: Grammar, pace: Pace) -> float:
    """The mean loss over twenty batches that are not used in training, in nats per word."""
    sample = islice(batches(grammar, HELD_OUT, pace), 20)
    with torch.no_grad():
        return sum(of(texts).item() for texts in sample) / 20


def stored(tensors: Mapping[str, Tensor], seed: int) -> bytes:
    """The tensors as a bf16 safetensors file; the library writes metadata in random order."""
    metadata = {"format": "pt", "made_by": "weightscope.demo.train", "seed": str(seed)}
    rounded = {name: tensor.detach().bfloat16() for name, tensor in tensors.items()}
    data: bytes = safetensors.save(rounded, metadata=metadata)
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size]) | {"__metadata__": metadata}
    text = json.dumps(header, separators=(",", ":")).encode().ljust(size)
    return data[:8] + text + data[8 + size :]


def adapter_config(recipe: Recipe) -> dict[str, object]:
    """The config file that PEFT writes with an adapter."""
    return {
        "base_model_name_or_path": "gpt.safetensors",
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "lora_alpha": recipe.alpha,
        "lora_dropout": 0.0,
        "modules_to_save": None,
        "peft_type": "LORA",
        "r": recipe.rank,
        "target_modules": list(model.ADAPTED),
        "task_type": "CAUSAL_LM",
        "use_rslora": False,
    }


def train(out: Path, recipe: Recipe) -> dict[str, float]:
    """Writes untrained model, trained model and adapter to `out`; returns held-out losses."""
    (out / "gpt-lora").mkdir(parents=True, exist_ok=True)
    random = torch.Generator().manual_seed(recipe.seed)
    weights = model.start(recipe.shape, random)
    (out / "gpt-start.safetensors").write_bytes(stored(weights, recipe.seed))
    losses = _base(weights, recipe)
    (out / "gpt.safetensors").write_bytes(stored(weights, recipe.seed))
    pairs = model.adapter(recipe.shape, recipe.rank, random)
    losses |= _tune({name: weight.detach() for name, weight in weights.items()}, pairs, recipe)
    (out / "gpt-lora" / "adapter_model.safetensors").write_bytes(stored(pairs, recipe.seed))
    (out / "gpt-lora" / "adapter_config.json").write_text(
        json.dumps(adapter_config(recipe), indent=2) + "\n"
    )
    return losses


def _base(weights: Mapping[str, Tensor], recipe: Recipe) -> dict[str, float]:
    of = lambda texts: model.loss(weights, texts, recipe.shape)
    before = held_out(of, BASE, recipe.base)
    descend(weights, of, batches(BASE, recipe.seed, recipe.base), recipe.base)
    return {"start": before, "end": held_out(of, BASE, recipe.base)}


def _tune(
    weights: Mapping[str, Tensor], pairs: Mapping[str, Tensor], recipe: Recipe
) -> dict[str, float]:
    scale = recipe.alpha / recipe.rank
    of = lambda texts: model.loss(model.adapted(weights, pairs, scale), texts, recipe.shape)
    before = held_out(of, SHIFTED, recipe.tune)
    descend(pairs, of, batches(SHIFTED, recipe.seed + 1, recipe.tune), recipe.tune)
    return {"shifted": before, "adapted": held_out(of, SHIFTED, recipe.tune)}


def main() -> None:
    """Fix the thread and the kernels, then train."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    recipe = Recipe()
    print(json.dumps(asdict(recipe)))
    print(json.dumps(train(Path(sys.argv[1]), recipe)))


if __name__ == "__main__":
    main()
