from __future__ import annotations

import math

import pytest
import torch

from weightscope.demo import model
from weightscope.demo.model import Shape

TINY = Shape(vocab=11, width=8, inner=12, layers=2, heads=2)


def weights(seed: int = 0) -> dict[str, torch.Tensor]:
    return {
        name: weight * 20 if weight.ndim > 1 else weight
        for name, weight in model.start(TINY, torch.Generator().manual_seed(seed)).items()
    }


def test_start_has_the_customary_deviations() -> None:
    """Matrices start at 0.02, residual projections at 0.02 / sqrt(2 layers), norms at one."""
    found = model.start(Shape(), torch.Generator().manual_seed(1))
    assert found["model.layers.1.mlp.up_proj.weight"].std().item() == pytest.approx(0.02, rel=0.02)
    assert found["model.layers.1.self_attn.o_proj.weight"].std().item() == pytest.approx(
        0.02 / math.sqrt(8), rel=0.02
    )
    assert torch.equal(found["model.norm.weight"], torch.ones(128))


def test_logits_see_only_the_past() -> None:
    """Changing a later token leaves every earlier expectation as it was."""
    tokens = torch.tensor([[1, 2, 3, 4, 5, 6]])
    other = torch.tensor([[1, 2, 3, 4, 9, 6]])
    a, b = (model.logits(weights(), t, TINY) for t in (tokens, other))
    assert torch.allclose(a[:, :4], b[:, :4], atol=1e-6)
    assert not torch.allclose(a[:, 4:], b[:, 4:], atol=1e-3)


def test_rotary_positions_keep_lengths_and_depend_on_distance_alone() -> None:
    """Turning keeps norms, and the product of two turned vectors is the same at equal distances."""
    turn = model._turns(12, 4)
    x, y = torch.randn(2, 4, generator=torch.Generator().manual_seed(0))
    a, b = model._rotated(x.expand(12, 4), turn), model._rotated(y.expand(12, 4), turn)
    assert torch.allclose(a.norm(dim=1), x.norm().expand(12), atol=1e-5)
    assert torch.allclose((a[3:] * b[:-3]).sum(1), (a[3] * b[0]).sum().expand(9), atol=1e-5)


def test_loss_of_an_ignorant_model_is_log_of_the_vocabulary() -> None:
    """With an output of zero every word is equally likely."""
    ignorant = weights() | {"lm_head.weight": torch.zeros(11, 8)}
    assert model.loss(ignorant, torch.tensor([[1, 2, 3]]), TINY).item() == pytest.approx(
        math.log(11)
    )


def test_a_fresh_adapter_changes_nothing() -> None:
    """B starts at zero, so the adapted model is the base."""
    base = weights()
    adapted = model.adapted(base, model.adapter(TINY, 2, torch.Generator().manual_seed(0)), 2.0)
    assert all(torch.equal(adapted[name], weight) for name, weight in base.items())


def test_an_adapter_adds_its_scaled_product() -> None:
    """The change of an adapted weight is scale * B @ A, and nothing else moves."""
    base, random = weights(), torch.Generator().manual_seed(0)
    pairs = {
        name: torch.randn(t.shape, generator=random)
        for name, t in model.adapter(TINY, 2, random).items()
    }
    adapted = model.adapted(base, pairs, 0.5)
    stem = "base_model.model.model.layers.1.self_attn.v_proj.lora_"
    change = 0.5 * pairs[stem + "B.weight"] @ pairs[stem + "A.weight"]
    name = "model.layers.1.self_attn.v_proj.weight"
    assert torch.allclose(adapted[name] - base[name], change, atol=1e-6)
    moved = {name for name in base if not torch.equal(adapted[name], base[name])}
    assert moved == {
        f"model.layers.{i}.self_attn.{part}.weight" for i in range(2) for part in model.ADAPTED
    }
