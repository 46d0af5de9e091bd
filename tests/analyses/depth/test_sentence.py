"""The sentence of a statistic states what its rows say, and no more."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

import weightscope as ws
from tests.analyses.depth.planted import transformer

UP = np.linspace(0.02, 0.03, 6)
FLAT = np.full(6, 0.02)
COUNT = re.compile(r"(\d+) of (\d+) (readers|writers|convolutions|other matrices)")


def said(model, stat="std", **options):
    """The sentences of a model."""
    return ws.depth(model, stat=stat, panels=False, **options).closing


def test_readers_that_rise():
    """The largest change first; writers are counted too."""
    sigmas = {"attn.q": UP, "attn.k": UP**2 * 40, "attn.o": FLAT, "mlp.down": FLAT}
    assert said(transformer(sigmas)) == (
        "std rises with depth: 2 of 2 readers (attn.k +76%, attn.q +41%), 0 of 2 writers"
    )


def test_some_rise_and_some_fall():
    """Both in one sentence, what more series do first, falling before rising."""
    sigmas = {"attn.q": UP, "attn.k": UP[::-1], "mlp.up": UP[::-1], "mlp.down": UP}
    text = said(transformer(sigmas))
    assert re.sub(r"[+-]\d+%", "N%", text) == (
        "std falls with depth: 2 of 3 readers (attn.k N%, mlp.up N%), 0 of 1 writers; "
        "rises: 1 of 3 readers (attn.q N%), 1 of 1 writers (mlp.down N%)"
    )


def test_none_has_a_trend():
    """Readers and writers are counted, vectors are not."""
    model = transformer({"attn.q": FLAT, "attn.o": FLAT})
    model |= {f"model.layers.{i}.input_layernorm.weight": torch.ones(32) + i for i in range(6)}
    assert said(model) == "no trend of std with depth: 0 of 1 readers, 0 of 1 writers"


def test_vectors_alone_have_no_sentence():
    """They neither read nor write."""
    model = {f"model.layers.{i}.input_layernorm.weight": torch.rand(32) for i in range(6)}
    assert said(model) == ""


@pytest.mark.parametrize(
    ("stat", "layers", "expected"),
    [
        ("std", 4, "trend of std not judged: 4 layers, a trend needs 5"),
        (
            "skew",
            6,
            "trend of skew not judged: skew has no standard error, a trend needs one",
        ),
    ],
)
def test_what_is_not_judged_has_a_reason(stat, layers, expected):
    """`no trend` would be a claim."""
    assert said(transformer({"attn.q": UP[:layers]}), stat) == expected


def test_series_of_mixed_types_are_not_judged():
    """They are counted apart, and their row has the reason."""
    model = transformer({"attn.q": UP, "attn.o": UP})
    name = "model.layers.3.self_attn.q_proj.weight"
    model[name] = model[name].bfloat16()
    report = ws.depth(model, stat="std", panels=False)
    assert report.closing == (
        "std rises with depth: 0 of 0 readers, 1 of 1 writers (attn.o +41%); 1 not judged"
    )
    (row,) = [row for row in report.rows if row["role"] == "attn.q"]
    assert (row["trend"], row["note"]) == (
        None,
        "types differ (F32 in 0-2,4-5; BF16 in 3), a trend needs one",
    )
    assert row["slope"] > 0


def test_where_widths_change_the_sentence_is_about_gain():
    """Constant gain: std falls by half with the width, and the sentence does not say so."""
    rng = np.random.default_rng(0)
    model = {}
    for i, width in enumerate((16, 16, 32, 32, 64, 64)):
        kernel = rng.standard_normal((width, width, 3, 3)) / np.sqrt(9 * width)
        model[f"layer1.{i}.conv1.weight"] = torch.from_numpy(kernel).float()
    report = ws.depth(model, stat="std", panels=False)
    assert report.rows[0]["trend"] == "down"
    assert report.rows[0]["note"] == "fan_in from 144 to 576, on which std depends: see gain"
    assert report.closing == "no trend of gain with depth: 0 of 1 convolutions"
    both = ws.depth(model, stat=("std", "gain", "kurtosis"), panels=False).closing.splitlines()
    assert [text.split(" with")[0] for text in both] == ["no trend of gain", "no trend of kurtosis"]


def test_max_z_follows_the_size():
    """It grows with the number of elements alone: no trend where sizes differ."""
    rng = np.random.default_rng(0)
    model = {}
    for i, width in enumerate((2, 2, 4, 8, 16, 32, 64, 128)):
        kernel = rng.standard_normal((width, width, 3, 3))
        model[f"layer1.{i}.conv1.weight"] = torch.from_numpy(kernel).float()
    report = ws.depth(model, stat="max_z", panels=False)
    (row,) = report.rows
    assert row["slope_low"] > 0
    assert row["trend"] is None
    reason = "36 to 147456 elements, with which max_z grows: see max_z_null, a trend needs one size"
    assert reason in row["note"]
    assert report.closing == f"trend of max_z not judged: {reason}"


def test_stacks_and_slots_are_named():
    """Two towers; cross-attention reads the output of the encoder, no residual stream."""
    model = {}
    for i, sigma in enumerate(UP):
        matrix = torch.from_numpy(sigma * np.random.default_rng(i).standard_normal((32, 32)))
        for stem in ("encoder.layers.{}.self_attn", "decoder.layers.{}.encoder_attn"):
            model["model." + stem.format(i) + ".k_proj.weight"] = matrix.clone()
    assert re.sub(r"\d+%", "N%", said(model)) == (
        "std rises with depth: 1 of 1 readers (encoder attn.k +N%), 0 of 0 writers, "
        "1 of 1 other matrices (decoder attn.k[cross] +N%)"
    )


def test_every_count_is_that_of_the_rows():
    """Of five statistics of a model with all kinds of trends."""
    sigmas = {"attn.q": UP, "attn.k": UP[::-1], "attn.o": FLAT, "mlp.up": FLAT, "mlp.down": UP}
    report = ws.depth(transformer(sigmas, shape=(64, 64)), panels=False)
    readers = {"attn.q", "attn.k", "mlp.up"}
    for text in report.closing.splitlines():
        (name,) = [
            row["statistic"] for row in report.rows if f" {row['statistic']} " in f" {text} "
        ][:1]
        rows = [row for row in report.rows if row["statistic"] == name]
        for part in text.split("; "):
            trend = "up" if "rises" in part else "down" if "falls" in part else "none"
            for count, total, group in COUNT.findall(part):
                members = [row for row in rows if (row["role"] in readers) == (group == "readers")]
                assert int(total) == len(members)
                assert int(count) == sum(row["trend"] == trend for row in members)
            for role, change in re.findall(r"(attn\.\w|mlp\.\w+) ([+-]\d+)%", part):
                (row,) = [row for row in rows if row["role"] == role]
                assert int(change) == round(100 * row["fitted_change"])
