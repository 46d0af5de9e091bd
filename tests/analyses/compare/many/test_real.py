"""Series, sets and candidates of real checkpoints, whose numbers were computed with numpy."""

from __future__ import annotations

import pytest
import torch

from tests.analyses.compare.many.small import ask, said
from tests.analyses.compare.test_real import DATA, RESNETS, gpt6, resnets

STEPS = [DATA / f"gpt6/gpt6_seed0_step{step:05}.safetensors" for step in (0, 400, 1600)]


@gpt6
@pytest.mark.usefixtures("measured_anew")
def test_rotations_of_a_training() -> None:
    """Of the 36 matrices: 0.471 and 0.628 from the first, 0.211 from the previous."""
    report = ask(STEPS, columns=("relative",))
    first, second, *_ = said(report).splitlines()
    assert first.startswith("step 400: related to the first (median cosine 0.477); rotation 0.471")
    assert "rotation 0.628 from the first, 0.211 from the previous; 100 changed" in second
    assert report.timing["bytes_read"] <= sum(path.stat().st_size for path in STEPS)


@gpt6
def test_task_vectors_of_a_training() -> None:
    """Of the 36 matrices together, and of all tensors in the sentence."""
    report = ask(STEPS, set=True, by="model")
    (row,) = [row for row in report.rows if row["kind"] == "matrix"]
    expected = {
        "cosine": 0.7518,
        "angle_deg": 41.256,
        "sign_agreement": 0.7485,
        "norm_shrink": 0.9387,
        "implied_correlation": 0.6895,
    }
    assert {name: row[name] for name in expected} == pytest.approx(expected, abs=6e-4)
    assert row["tensors"] == 36
    assert "0.788, 38.0 degrees over all tensors" in said(report)


@resnets
def test_the_parent_of_a_fine_tuned_resnet() -> None:
    """ResNet-20 is first and related, ResNet-56 with all of its names unrelated."""
    tensors = torch.load(RESNETS[0], map_location="cpu")
    tensors = tensors.get("state_dict", tensors)
    tuned = {}
    for name, tensor in tensors.items():
        tuned[name] = tensor * 1.01 if tensor.is_floating_point() else tensor
    rows = ask([tuned, RESNETS[1], RESNETS[0]], nearest=True).rows
    assert [(row["rank"], row["relation"]) for row in rows] == [(1, "related"), (2, "unrelated")]
    assert rows[0]["source"] == str(RESNETS[0])
