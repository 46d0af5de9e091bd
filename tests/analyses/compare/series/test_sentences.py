"""Sentences about a series: breaks, plateaus, the rank of the change, the law of the distance."""

from __future__ import annotations

import re
from math import log, sqrt

import pytest
import torch
from scipy.stats import linregress

from tests.analyses.compare.many.small import (
    BASE,
    EMBED,
    NUMBERS,
    UP,
    Q,
    ask,
    drawn,
    plus,
    said,
    tuned,
    typed,
    walk,
)

SHOWN = {"columns": NUMBERS}


def test_a_line_for_each_step() -> None:
    """The relation to the first, both rotations, and the statuses."""
    first, second, *more = said(ask(walk(3), **SHOWN)).splitlines()
    assert re.fullmatch(
        r"step 1: related to the first \(median cosine 0\.99\d\); rotation 0\.00\d+ from the "
        r"first; 4 changed",
        first,
    )
    assert re.search(r"rotation 0\.0\d+ from the first, 0\.00\d+ from the previous; 4", second)
    assert more == []


def test_another_run_begins() -> None:
    """A step nearer to the first than to the previous."""
    steps = walk(4, 0.4)
    text = said(ask([*steps, tuned(5, 0.1)], **SHOWN))
    assert re.findall(r"another run begins at step (\d+): its cosine to step 3 is", text) == ["4"]


@pytest.mark.parametrize("size", [0.0, 1e-6, 0.1, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_ordinary_series_have_no_break(size, seed) -> None:
    """Steps that go on from one another, at any size of their steps, and independent models."""
    steps = [BASE]
    for i in range(1, 5):
        steps.append(plus(steps[-1], drawn(10 * seed + i, size)))
    assert "another run" not in said(ask(steps, **SHOWN))
    assert "another run" not in said(ask([drawn(10 * seed + i) for i in range(4)], **SHOWN))


def test_a_step_without_some_tensors_has_no_break() -> None:
    """Cosines to the first and to the previous step are of the tensors that both have."""
    steps = [{**BASE, Q: 10 * BASE[Q]}]
    for seed in (1, 2, 3):
        steps.append({**steps[-1], UP: steps[-1][UP] + drawn(seed)[UP]})
    steps[2] = {UP: steps[2][UP]}  # the tensor that moves
    text = said(ask(steps, **SHOWN))
    assert "2: " in text
    assert "another run" not in text


def test_a_step_of_another_architecture() -> None:
    """Names in common, no shape."""
    wide = {name: tensor.repeat(2, *[1] * (tensor.ndim - 1)) for name, tensor in BASE.items()}
    wide = {name: torch.cat([tensor, tensor], -1) for name, tensor in wide.items()}
    text = said(ask([BASE, tuned(1), wide], **SHOWN))
    assert "step 2: another architecture than the first; 4 reshaped" in text
    assert "another architecture" not in text.splitlines()[0]


def test_plateaus() -> None:
    """Steps that are the one before, with another type too; one changed element is none."""
    one, two, three = walk(3)
    nudged = {**two, Q: two[Q].clone()}
    nudged[Q][0, 0] += 1
    steps = [one, two, two, typed(two, torch.bfloat16), nudged, three, three]
    assert "plateau: steps 2, 3, 6 change nothing" in said(ask(steps, **SHOWN))
    assert "plateau: step 1 changes nothing" in said(ask([one, one, two], **SHOWN))
    assert "plateau" not in said(ask([one, two, three], **SHOWN))


def test_a_step_that_gains_or_lacks_a_tensor_is_no_plateau() -> None:
    """`added` and `removed` are changes."""
    short = {name: tensor for name, tensor in BASE.items() if name != Q}
    assert "plateau" not in said(ask([BASE, short, BASE], **SHOWN))


def low_rank(rank: int) -> torch.Tensor:
    """A change of UP of this rank."""
    generator = torch.Generator().manual_seed(rank)
    up = torch.randn(32, rank, generator=generator)
    return up @ torch.randn(rank, 16, generator=generator)


@pytest.mark.parametrize(
    ("ranks", "words"),
    [((1, 2, 8), "grows"), ((8, 2, 1), "falls"), ((1, 1, 1), "stays: median 1 at step 1, 1")],
)
def test_rank_of_the_change(ranks, words) -> None:
    """The median of delta_rank_90 from the first step, with --spectrum alone."""
    base = {UP: BASE[UP]}
    steps = [base, *({UP: base[UP] + low_rank(rank)} for rank in ranks)]
    options = {"columns": ("tensor", "delta_rank_90")}
    assert f"delta_rank_90 {words}" in said(ask(steps, spectrum=True, **options))
    assert "delta_rank_90" not in said(ask(steps, **SHOWN))


def written(folder, steps):
    """Files of steps, named by their numbers."""
    paths = []
    for number, tensors in steps.items():
        path = folder / f"step{number}.pt"
        torch.save(tensors, path)
        paths.append(str(path))
    return paths


def test_the_distance_over_the_logarithm_of_the_step(tmp_path) -> None:
    """Slope and R2 of scipy.stats.linregress over the matrices."""
    numbers = (0, 10, 100, 1000)
    steps = dict(zip(numbers, walk(4), strict=True))
    text = said(ask(written(tmp_path, steps), **SHOWN))
    squares = [sum(float(((s[n] - BASE[n]) ** 2).sum()) for n in (Q, UP)) for s in steps.values()]
    line = linregress([log(n) for n in numbers[1:]], [sqrt(x) for x in squares[1:]])
    expected = f"|D| = {line.intercept:.3g} + {line.slope:.3g} ln(step), R2 {line.rvalue**2:.3f}"
    assert f"distance from the first step: {expected} over 3 steps" in text


def test_a_planted_logarithm(tmp_path) -> None:
    """Slope 0.5 of |D| = 0.5 ln(step): R2 is 1."""
    change = drawn(3)[Q]
    change /= change.norm()
    steps = {n: {Q: BASE[Q] + 0.5 * log(max(n, 1)) * change} for n in (0, 2, 20, 200)}
    text = said(ask(written(tmp_path, steps), **SHOWN))
    assert re.search(r"\+ 0\.5 ln\(step\), R2 1\.000", text)


def test_positions_are_no_time() -> None:
    """No law of the distance over numbers that are positions."""
    assert "ln(step)" not in said(ask(walk(5), **SHOWN))


def test_another_architecture_is_said_of_its_step() -> None:
    """A step without a tensor in common, or with some of other shapes."""
    alien = {"conv1.weight": torch.ones(3, 4, 3, 3)}
    report = ask([BASE, alien, *walk(3)[1:]], **SHOWN)
    assert "step 1: another architecture: no tensor in common with the first" in said(report)
    assert {row["status"] for row in report.rows if row["step"] == 1} == {"added", "removed"}
    assert "another run" not in said(report)


def test_unrelated_steps_are_said() -> None:
    """Independent models of one shape in a series."""
    shapes = {Q: (64, 64), EMBED: (40, 16)}
    steps = [drawn(i, shapes=shapes) for i in range(3)]
    text = said(ask(steps, **SHOWN))
    assert text.count("unrelated to the first") == 2


def test_long_series_are_told_in_twenty_lines() -> None:
    """The rows have the others."""
    steps = [{Q: BASE[Q] + i} for i in range(25)]
    text = said(ask(steps, columns=("tensor", "cosine")))
    assert len(re.findall("^step ", text, re.M)) == 20
    assert "4 further steps in the rows" in text
