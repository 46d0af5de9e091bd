"""The pictures of a series: lines over the steps, and frames with the laws of each step."""

from __future__ import annotations

import numpy as np
import pytest

from tests.analyses.compare.many.small import BASE, EMBED, UP, Q, ask, drawn, walk
from weightscope.columns import FRAMES

STEPS = walk(4, 0.3)
COLUMNS = ("role", "relative", "rotation", "status")


def panels(steps=STEPS, **options):
    """The panels of a series by kind: lines, frames."""
    report = ask(steps, panels=True, **{"columns": COLUMNS, **options})
    lines = [panel for panel in report.panels if panel.kind != FRAMES]
    frames = [panel for panel in report.panels if panel.kind == FRAMES]
    return lines, frames


def test_lines_are_the_pooled_numbers_of_the_rows() -> None:
    """Change and rotation of each role at each step."""
    lines, _ = panels()
    rows = ask(STEPS, by="role", columns=("role", "relative", "rotation")).rows
    wanted = {
        "change from first": ("relative", "first"),
        "rotation from first": ("rotation", "first"),
        "rotation from previous": ("rotation", "previous"),
    }
    assert [panel.title for panel in lines] == list(wanted)
    for panel in lines:
        column, against = wanted[panel.title]
        assert [curve.label for curve in panel.curves] == ["attn.q", "embed", "mlp.up"]
        for curve in panel.curves:
            of_role = [row for row in rows if row["role"] == curve.label]
            # of the second MODEL the first is the previous too
            own = [row for row in of_role if against == row["against"] or row["step"] == 1]
            expected = {row["step"]: row[column] for row in own}
            assert dict(zip(curve.x, curve.y, strict=True)) == pytest.approx(expected)


def test_frames_are_densities_of_all_tensors_of_a_role() -> None:
    """One a step, of the first too, in units of its sigma; their areas are about 1."""
    _, frames = panels()
    assert [panel.title for panel in frames] == ["attn.q", "embed", "mlp.up"]
    for panel in frames:
        assert [curve.label for curve in panel.curves] == [f"step {i}" for i in range(4)]
        for curve in panel.curves:
            area = np.trapezoid(curve.y, curve.x)
            assert area == pytest.approx(1, abs=0.1)


def test_frames_of_spectra_are_singular_values() -> None:
    """Sorted, over the largest of the first step."""
    steps = [{Q: step[Q], UP: step[UP]} for step in STEPS[:3]]
    _, frames = panels(steps, spectrum=True, columns=("delta_rank_90",))
    assert len(frames) == 2
    for panel, name in zip(frames, (Q, UP), strict=True):
        values = [np.linalg.svd(step[name].double().numpy(), compute_uv=False) for step in steps]
        for curve, of_step in zip(panel.curves, values, strict=True):
            assert curve.y == pytest.approx(of_step / values[0][0], rel=1e-5)
            assert curve.x.tolist() == list(range(1, len(of_step) + 1))


def test_a_step_without_a_role_has_no_point() -> None:
    """Its frame is missing too; later ones go on."""
    steps = [dict(step) for step in STEPS]
    del steps[1][Q]
    lines, frames = panels(steps)
    (curve,) = [curve for curve in lines[0].curves if curve.label == "attn.q"]
    assert curve.x.tolist() == [2, 3]
    (panel,) = [panel for panel in frames if panel.title == "attn.q"]
    assert [c.label for c in panel.curves] == ["step 0", "step 2", "step 3"]


def test_models_of_vectors_alone_have_lines() -> None:
    """Where there is no matrix all tensors are drawn; constant tensors have no frames."""
    steps = [drawn(i, shapes={"model.norm.weight": (16,)}) for i in range(3)]
    lines, _ = panels(steps)
    assert [curve.label for curve in lines[0].curves] == ["norm"]
    flat = [{EMBED: BASE[EMBED] * 0 + i} for i in range(3)]
    lines, frames = panels(flat)
    assert frames == []
