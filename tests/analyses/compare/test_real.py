"""Comparisons of real checkpoints, whose numbers were computed with numpy in float64."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.analyses.compare.planted import compare
from weightscope import CheckpointError, api

DATA = Path(__file__).parents[4] / "shared/data"
GPT = [DATA / f"gpt6/gpt6_seed0_step{step:05}.safetensors" for step in (0, 1600)]
RESNETS = [DATA / f"resnet_cifar/resnet{n}.th" for n in ("20-12fca82f", "56-4bfd9763")]
BY_ROLE = {  # relative, cosine, rotation of the start and the end of a training
    "attn.q": (2.950, 0.302, 0.698),
    "attn.k": (2.578, 0.356, 0.644),
    "attn.v": (1.500, 0.556, 0.444),
    "attn.o": (6.103, 0.151, 0.849),
    "mlp.up": (1.960, 0.459, 0.541),
    "mlp.down": (5.309, 0.174, 0.826),
    "embed": (12.022, 0.192, 0.808),
    "norm": (0.130, 0.994, 0.006),
}
gpt6 = pytest.mark.skipif(not GPT[0].exists(), reason="the checkpoints of GPT-6 are not here")
resnets = pytest.mark.skipif(not RESNETS[0].exists(), reason="the two ResNets are not here")


@gpt6
def test_start_and_end_of_a_training() -> None:
    """Relation, statuses, pooled roles, and the rotation of the matrices and of all tensors."""
    columns = ("role", "kind", "relative", "cosine", "rotation", "relation", "changed")
    report = api.ask("compare", GPT, {"by": "role", "columns": columns, "panels": False})
    first, _, third, *_ = report.notes
    assert first.startswith("related: median cosine 0.334 over 36 matrices")
    assert third.startswith("100 changed")
    assert "rotation 0.628 of the matrices, 0.316 of all tensors" in third
    rows = {row["role"]: row for row in report.rows}
    for role, expected in BY_ROLE.items():
        found = [rows[role][name] for name in ("relative", "cosine", "rotation")]
        assert found == pytest.approx(expected, abs=6e-4), role
    whole = api.ask("compare", GPT, {"split": False, "panels": False, "columns": ("relation",)})
    assert whole.notes[0].startswith("related: median cosine 0.298 over 24 matrices")


@gpt6
def test_one_matrix_of_a_training() -> None:
    """Norms, laws and spectrum of the difference; the overlap of singular vectors."""
    options = {"include": ("*h.3.mlp.c_fc.weight",), "spectrum": True, "panels": False}
    (row,) = api.ask("compare", GPT, options).rows
    expected = {
        "relative": (1.9935, 5e-5),
        "rotation": (0.57343, 5e-6),
        "delta_std": (0.039760, 5e-7),
        "std_ratio": (2.2031, 5e-5),
        "delta_correlation": (-0.0302, 5e-5),
        "ks": (0.1090, 5e-5),
        "w1": (0.7196, 5e-5),
        "delta_stable_rank": (5.19, 5e-3),
        "delta_effective_rank": (58.8, 0.05),
        "delta_rank_90": (24, 0),
        "overlap": (0.099, 5e-4),
        "overlap_null": (0.042, 5e-4),
    }
    for name, (value, error) in expected.items():
        assert row[name] == pytest.approx(value, abs=error), name


@gpt6
def test_an_adapter_of_a_trained_model() -> None:
    """Twelve changes of rank 4, everything else equal."""
    columns = ("tensor", "status", "relative", "change", "delta_rank", "delta_stable_rank")
    options = {"split": False, "spectrum": True, "columns": columns, "panels": False}
    rows = api.ask("compare", [GPT[1], DATA / "gpt6/lora"], options).rows
    changed = [row for row in rows if row["status"] == "changed"]
    assert (len(changed), len(rows)) == (12, 76)
    assert {(row["delta_rank"], row["change"]) for row in changed} == {(4, "low_rank")}
    sizes = sorted(row["relative"] for row in changed)
    assert (sizes[0], sizes[-1]) == pytest.approx((0.232, 0.501), abs=6e-4)
    ranks = sorted(row["delta_stable_rank"] for row in changed)
    assert (ranks[5] + ranks[6]) / 2 == pytest.approx(1.35, abs=6e-3)


@resnets
def test_equal_names_of_two_trainings_are_unrelated() -> None:
    """All tensors of ResNet-20 exist in ResNet-56."""
    columns = ("kind", "std_a", "std_b", "w1", "ks", "changed", "added", "cosine")
    report = api.ask("compare", RESNETS, {"by": "model", "columns": columns, "panels": False})
    assert any(note.startswith("unrelated: median cosine 0.002") for note in report.notes)
    rows = {row["kind"]: row for row in report.rows}
    assert sum(row["added"] for row in report.rows) == 180
    found = [rows["conv"][name] for name in ("std_a", "std_b", "w1", "ks")]
    assert found == pytest.approx((0.0930, 0.0642, 0.240, 0.0927), abs=6e-4)
    assert rows["norm"]["cosine"] > 0.7


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch) -> None:
    """A or B, replaced during the run: exit code 3, and no report."""
    for changed in ("a", "b"):
        for name in ("a", "b"):
            save_file({"w": torch.ones(8, 8)}, tmp_path / name)
        answers = api.BY_NAME["compare"].answering.rows

        def rows(*arguments, path=tmp_path / changed, answers=answers):
            yield from answers(*arguments)
            save_file({"w": torch.zeros(8, 8)}, tmp_path / "other")
            os.replace(tmp_path / "other", path)

        with monkeypatch.context() as patched:
            patched.setattr(type(api.BY_NAME["compare"]), "rows", lambda self, *given: rows(*given))
            with pytest.raises(CheckpointError, match="do not change during the run") as fault:
                api.ask("compare", [tmp_path / "a", tmp_path / "b"], {"panels": False})
        assert fault.value.code == 3


@pytest.mark.usefixtures("measured_anew")
def test_two_runs_write_the_same_bytes(tmp_path) -> None:
    """On one worker and on two, the report and its order."""
    draw = torch.Generator().manual_seed(0)
    a = {f"h.{i}.mlp.c_fc.weight": torch.randn(40, 30, generator=draw) for i in range(3)}
    b = {name: w + 0.1 * torch.randn(40, 30, generator=draw) for name, w in a.items()}
    texts = []
    for threads in (1, 2, 2):
        path = tmp_path / f"{len(texts)}.csv"
        compare(a, b, threads=threads).save(path)
        texts.append(path.read_bytes())
    assert texts[0] == texts[1] == texts[2]
