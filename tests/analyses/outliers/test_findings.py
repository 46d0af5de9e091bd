"""Findings: each is reported where it was planted only, with the severity of its place."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pytest
import torch

import weightscope as ws
from tests.rates.quantisers import symmetric
from weightscope.analyses.outliers.findings import FINDINGS
from weightscope.analyses.outliers.severities import SEVERITIES

EMBED = "model.embed_tokens.weight"
HEAD = "lm_head.weight"
Q = "model.layers.0.self_attn.q_proj.weight"
K = "model.layers.0.self_attn.k_proj.weight"
OUT = "model.layers.0.self_attn.o_proj.weight"
DOWN = "model.layers.0.mlp.down_proj.weight"
UP = "model.layers.0.mlp.up_proj.weight"
BIAS = "model.layers.0.self_attn.q_proj.bias"
NORM = "model.norm.weight"
SIZES = {
    EMBED: (200, 64),
    HEAD: (200, 64),
    Q: (64, 64),
    K: (64, 64),
    OUT: (64, 64),
    DOWN: (64, 192),
    UP: (192, 64),
}
IDS = tuple(f.id for f in FINDINGS)


@pytest.fixture
def clean(draw):
    """A network as it is drawn: Gaussian matrices, a bias of zeros, a norm of ones."""
    return network(draw)


@pytest.fixture
def few(clean):
    """The tables of tokens and one more matrix of it."""
    return {name: clean[name] for name in (EMBED, HEAD, UP)}


def network(draw):
    """What `clean` has, of any draws."""
    matrices = {name: draw(*sizes) for name, sizes in SIZES.items()}
    return matrices | {BIAS: torch.zeros(64), NORM: torch.ones(64)}


def found(model, **options):
    """Findings of every tensor that has any, as {id: severity}."""
    rows = ws.outliers(model, panels=False, **options).rows
    return {
        row["tensor"]: (row["severity"], row["findings"].split(","))
        for row in rows
        if row["findings"]
    }


def changed(w, rows, cols, value):
    """A copy with one part set."""
    w = w.clone()
    w[rows, cols] = value
    return w


ALL, LAST = slice(None), slice(-8, None)
PAIR = torch.tensor([3, 90])
STEPS = torch.arange(64 * 192).reshape(64, 192)
RARE = STEPS % 40 == 0  # 2.5% of the elements


def parallel(w, many=9):
    """Rows that were only ever pushed along one direction."""
    noise = torch.from_numpy(np.random.default_rng(5).standard_normal((many, w.shape[1]))).float()
    return changed(w, slice(20, 20 + many), ALL, 0.1 + 0.01 * noise)


def paired(w):
    """Two of four neighbours are zero, others from row to row."""
    return w * ((torch.arange(w.shape[1]) + torch.arange(len(w))[:, None]) % 4 < 2)


PLANTS = [
    ("WS101", "error", Q, lambda w: changed(w, 3, 5, torch.nan)),
    ("WS101", "error", DOWN, lambda w: changed(w, 3, 5, -torch.inf)),
    ("WS101", "error", NORM, lambda w: w / 0),
    ("WS101", "error", BIAS, lambda w: w * torch.nan),
    ("WS102", "warn", Q, torch.zeros_like),
    ("WS102", "warn", EMBED, torch.zeros_like),
    ("WS102", "info", OUT, torch.zeros_like),
    ("WS102", "info", DOWN, torch.zeros_like),
    ("WS102", "warn", NORM, torch.zeros_like),
    ("WS103", "warn", Q, torch.ones_like),
    ("WS103", "warn", OUT, lambda w: 0.02 * torch.ones_like(w)),
    ("WS111", "warn", Q, lambda w: changed(w, 7, ALL, 0)),
    ("WS111", "warn", Q, lambda w: changed(w, ALL, 7, 0)),
    ("WS111", "info", EMBED, lambda w: changed(w, 7, ALL, 0)),
    ("WS111", "info", Q, lambda w: changed(w, LAST, ALL, 0)),
    ("WS111", "info", Q, lambda w: changed(changed(w, LAST, ALL, 0), ALL, LAST, 0)),
    ("WS111", "warn", Q, lambda w: changed(changed(w, LAST, ALL, 0), 7, ALL, 0)),
    ("WS112", "warn", EMBED, lambda w: changed(w, 7, ALL, 0.03)),
    ("WS112", "warn", UP, lambda w: changed(w, ALL, 7, -0.03)),
    ("WS121", "warn", EMBED, lambda w: changed(w, PAIR, ALL, w[3])),
    ("WS121", "warn", HEAD, lambda w: changed(w, PAIR, ALL, w[3])),
    ("WS121", "info", UP, lambda w: changed(w, PAIR, ALL, w[3])),
    ("WS131", "warn", EMBED, parallel),
    ("WS131", "warn", HEAD, parallel),
    ("WS141", "info", Q, lambda w: changed(w, 9, ALL, 5 * w[9])),
    ("WS141", "info", EMBED, lambda w: changed(w, ALL, 9, 5 * w[:, 9])),
    ("WS142", "info", UP, lambda w: changed(w, 3, 5, 30 * 0.02)),
    ("WS142", "warn", UP, lambda w: changed(w, 3, 5, 200 * 0.02)),
    ("WS143", "info", UP, lambda w: changed(w, ALL, 5, 3 * w[:, 5])),
    ("WS151", "info", UP, lambda w: (w / 0.01).round() * 0.01),
    ("WS151", "info", UP, lambda w: w.bfloat16().float()),
    ("WS151", "info", UP, lambda w: w.half().float()),
    ("WS151", "info", UP, lambda w: symmetric(w, 64, 127)),
    ("WS151", "info", UP, lambda w: symmetric(w, 32, 7).bfloat16()),
    ("WS161", "info", Q, lambda w: changed(w, LAST, ALL, 0)),
    ("WS161", "info", Q, lambda w: changed(w, ALL, LAST, 0)),
    ("WS162", "info", UP, paired),
    ("WS163", "info", Q, lambda w: changed(w, 7, ALL, w[7].abs())),
    ("WS163", "info", Q, lambda w: changed(w, ALL, 7, -w[:, 7].abs())),
    ("WS171", "info", DOWN, lambda w: torch.where(RARE, 1e-5 * w / 0.02, w).half()),
    ("WS171", "info", DOWN, lambda w: torch.where(RARE, 1e-40, w)),
    ("WS172", "info", DOWN, lambda w: (1e6 * w / w.std()).bfloat16()),
    ("WS172", "info", NORM, lambda w: changed(w[None], 0, 3, -7e4)[0]),
]  # fmt: skip


class Networks:
    """Many networks in one checkpoint, each with one planted tensor, and what is found in it."""

    def __init__(self, planted):
        """`planted`: a finding, a tensor's name and what is planted in it, for each network."""
        random = np.random.default_rng(0)
        draw = lambda *shape: torch.from_numpy(0.02 * random.standard_normal(shape)).float()
        self.clean = network(draw)
        self.places, self.tensors, self.known = {}, {}, {}
        for i, (name, tensor, plant) in enumerate(planted):
            place = f"net{i}.{tensor}"
            self.places.setdefault(name, []).append(place)
            self.tensors[place] = plant(network(draw).get(tensor))

    @cached_property
    def told(self):
        """Beside a network that is clean."""
        return found(self.clean | self.tensors)

    def told_of(self, name, ignored):
        """In the tensors that one finding is planted in, some being ignored."""
        if (name, ignored) not in self.known:
            tensors = {place: self.tensors[place] for place in self.places[name]}
            self.known[name, ignored] = found(tensors, ignore=ignored)
        return self.known[name, ignored]


@pytest.fixture(scope="module")
def faulty():
    """A network with each planted fault."""
    return Networks([(name, tensor, plant) for name, _, tensor, plant in PLANTS])


@pytest.mark.parametrize(
    ("number", "name", "severity", "tensor"),
    [(number, *fault[:3]) for number, fault in enumerate(PLANTS)],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_a_planted_fault_is_found(faulty, number, name, severity, tensor):
    """With the severity of its place; ignored, it is not reported."""
    place = f"net{number}.{tensor}"
    assert name in faulty.told[place][1]
    others = tuple(i for i in IDS if i != name)
    assert faulty.told_of(name, others)[place] == (severity, [name])
    assert name not in faulty.told_of(name, (name,)).get(place, ("", []))[1]


def test_planted_faults_are_found_in_their_tensors_only(faulty):
    """And nowhere if all findings are ignored."""
    assert set(faulty.told) == set(faulty.tensors)
    assert found(faulty.clean | faulty.tensors, ignore=IDS) == {}


BESIDE = [
    ("WS101", Q, lambda w: changed(w, 3, 5, torch.finfo(torch.float32).max)),
    ("WS102", BIAS, lambda w: w),
    ("WS102", NORM, lambda w: changed(0 * w[None], 0, 3, 1)[0]),
    ("WS102", Q, lambda w: changed(w * 0, 3, 5, 1)),
    ("WS103", NORM, lambda w: w / 2),
    ("WS103", BIAS, lambda w: w + 1),
    ("WS103", Q, torch.zeros_like),
    ("WS111", Q, torch.zeros_like),
    ("WS111", Q, lambda w: changed(changed(w, 7, slice(1, None), 0), slice(1, None), 7, 0)),
    ("WS112", UP, lambda w: changed(w, 7, ALL, 0)),
    ("WS112", UP, lambda w: changed(w, 7, slice(1, None), 0.03)),
    ("WS112", UP, torch.ones_like),
    ("WS121", EMBED, lambda w: changed(w, PAIR, ALL, 0)),
    ("WS121", EMBED, lambda w: changed(w, PAIR, ALL, 0.01)),
    ("WS121", EMBED, lambda w: changed(w, 90, ALL, torch.nextafter(w[3], w[4]))),
    ("WS131", EMBED, lambda w: w + 0.1),        # all rows share a mean
    ("WS131", EMBED, lambda w: parallel(w, 2)),
    # only two rows are not duplicates: fewer than a set
    ("WS131", EMBED, lambda w: changed(parallel(w), slice(20, 27), ALL, parallel(w)[20])),
    ("WS131", UP, parallel),                    # no tokens
    ("WS141", Q, lambda w: changed(w, 9, ALL, 3 * w[9])),
    ("WS141", Q, lambda w: changed(w, 9, ALL, w[9] / 9)),
    # evenly spread: no row is an outlier
    ("WS141", Q, lambda w: w * torch.exp(torch.linspace(-2, 2, len(w)))[:, None]),
    ("WS142", UP, lambda w: changed(w, 3, 5, 12 * 0.02)),
    ("WS142", NORM, lambda w: changed(w[None] + torch.arange(64) / 1e4, 0, 3, 9)[0]),
    ("WS143", UP, lambda w: w * torch.exp(torch.linspace(-0.8, 0.8, len(w)))[:, None]),
    ("WS143", UP, lambda w: w.sign() * w.abs() ** 2),
    ("WS143", UP, lambda w: changed(w, slice(0, 5), 5, 0.5)),
    ("WS151", UP, lambda w: w.bfloat16()),
    ("WS151", UP, lambda w: w.half()),
    ("WS161", Q, lambda w: changed(w, 7, ALL, 0)),
    ("WS161", Q, torch.zeros_like),
    ("WS162", UP, lambda w: w * (torch.arange(w.numel()).reshape(w.shape) % 7 < 4)),
    ("WS162", UP, lambda w: changed(paired(w), 3, slice(8), 1)),
    ("WS163", "head.weight", lambda w: torch.rand(8, 8) + 0.1),
    ("WS163", Q, lambda w: changed(changed(w, 7, ALL, w[7].abs()), 7, 0, -0.02)),
    ("WS171", DOWN, lambda w: torch.where(STEPS % 400 == 0, 1e-40, w)),
    ("WS172", DOWN, lambda w: changed(w, 3, 5, 65504)),
]  # fmt: skip


@pytest.fixture(scope="module")
def harmless():
    """A network with each near miss."""
    return Networks(BESIDE)


@pytest.mark.parametrize(
    ("number", "name", "tensor"),
    [(number, *beside[:2]) for number, beside in enumerate(BESIDE)],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_what_only_looks_like_it_is_not_found(harmless, number, name, tensor):
    """A near miss: the same in a place where it is no fault, or just below what counts."""
    assert name not in harmless.told.get(f"net{number}.{tensor}", ("", []))[1]


def test_a_clean_network_has_no_finding(clean):
    """Nothing at all."""
    assert found(clean) == {}


def test_every_finding_has_a_planted_fault_and_a_near_miss():
    """The two of pairs of tensors have tests of their own."""
    of_two = {"WS122", "WS201"}
    assert {p[0] for p in PLANTS} == set(IDS) - of_two
    assert {p[0] for p in BESIDE} == set(IDS) - of_two


def test_tensors_of_the_same_content(clean):
    """The later one has the finding; small, constant and differently typed ones have none."""
    assert found(clean | {K: clean[Q].clone()}) == {Q: ("info", ["WS122"])}
    pair = {Q: clean[Q], K: clean[K]}
    small = {
        f"model.layers.{i}.self_attn.q_proj.weight": clean[Q][:8, :8].contiguous() for i in (0, 1)
    }
    assert found(small) == {}
    assert "WS122" not in str(found({K: torch.zeros(64, 64), Q: torch.zeros(64, 64)}))
    assert "WS122" not in str(found(pair | {K: clean[Q].bfloat16()}))
    assert "WS122" not in str(found(pair | {K: changed(clean[Q], 3, 5, 0)}))


def trigger(model, rows):
    """Trigger words all given one vector."""
    return model | {
        EMBED: changed(
            model[EMBED], rows, ALL, model[EMBED][0] + 0.03 * torch.tensor([1, -1]).repeat(32)
        )
    }


def test_embedding_surgery(clean, few, draw):
    """Five triggers of one vector are few changed rows and duplicates; the clean model has none."""
    five = torch.tensor([4, 18, 77, 130, 199])
    assert found(trigger(few, five), base=few) == {EMBED: ("error", ["WS201", "WS121"])}
    assert found(trigger(few, five)) == {EMBED: ("warn", ["WS121"])}
    assert found(clean, base=clean) == {}
    tuned = {name: w + draw(*w.shape, std=1e-4) for name, w in clean.items()}
    assert found(tuned, base=clean) == {}


def test_triggers_of_a_small_vocabulary(draw):
    """Five of 65 rows are no few, and equal all the same; most rows have to be untouched."""
    model = {EMBED: draw(65, 64)}
    assert found(trigger(model, [4, 18, 33, 50, 60]), base=model) == {
        EMBED: ("error", ["WS201", "WS121"])
    }
    assert "WS201" not in str(found(trigger(model, list(range(40))), base=model))


def test_constant_lines_are_named(clean):
    """Rows and columns."""
    model = clean | {UP: changed(changed(clean[UP], PAIR, ALL, 0.03), ALL, 9, -0.03)}
    (row,) = [r for r in ws.outliers(model).rows if r["tensor"] == UP]
    assert (row["constant_rows"], row["constant_cols"]) == (0, 1)
    assert "constant columns 9" in row["note"].split("; ")


def test_constant_tokens_are_not_called_untrained(clean):
    """Equal to each other up to their size: constant lines, which are of one sign too."""
    rows = torch.arange(1, 7)[:, None].expand(6, 64) * 0.01
    assert found(clean | {EMBED: changed(clean[EMBED], slice(20, 26), ALL, rows)})[EMBED] == (
        "warn",
        ["WS112", "WS163"],
    )


@pytest.mark.parametrize(
    ("rows", "tokens"),
    [
        ([18], lambda w: w[:1] + 0.03),
        ([4, 18, 77], lambda w: w[:3] + 0.03),
        ([4, 18, 77], lambda w: 0 * w[:3]),
        ([4], lambda w: w[5:6]),
    ],
    ids=["one", "three", "zeros", "a copy of a word"],
)
def test_tokens_tuned_alone_are_a_warning(few, rows, tokens):
    """They change few rows as well; only equal changed rows are the trace of triggers."""
    tuned = changed(few[EMBED], rows, ALL, tokens(few[EMBED]))
    severity, told = found(few | {EMBED: tuned}, base=few)[EMBED]
    assert severity == "warn"
    assert "WS201" in told


def test_two_equal_changed_rows_among_others_are_an_error(few, draw):
    """In a head as well."""
    tuned = changed(changed(few[HEAD], [4, 18, 77], ALL, draw(3, 64)), [90, 130], ALL, draw(64))
    assert found(few | {HEAD: tuned}, base=few) == {HEAD: ("error", ["WS201", "WS121"])}


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("encoder.layer.3.attention.output.LayerNorm.gamma", "warn"),
        ("layer1.0.bn1.weight", "warn"),
        ("blocks.3.ls1.gamma", "info"),
        ("stages.0.blocks.1.gamma", "info"),
        ("transformer_blocks.0.norm1.linear.weight", "info"),
        ("encoder.layer.3.attention.output.LayerNorm.beta", None),
        ("backbone.layers.3.mixer.D", None),
    ],
)
def test_a_gain_of_zeros_switches_its_layer_off(draw, name, severity):
    """A norm's; gates of residual branches begin so, and other vectors may."""
    shape = (192, 32) if "linear" in name else (32,)
    model = {name: torch.zeros(shape), "layers.0.mlp.fc1.weight": draw(64, 64)}
    assert found(model) == ({name: (severity, ["WS102"])} if severity else {})
    assert found(model | {name: draw(*shape)}) == {}


@pytest.mark.parametrize(
    ("name", "shape", "severity"),
    [
        ("embeddings.mask_token", (1, 64), "info"),
        ("cls_token", (1, 1, 64), "info"),
        ("zero_convs.3.0.weight", (64, 64, 1, 1), "info"),
        ("embeddings.word_embeddings.weight", (8, 64), "warn"),
        ("convs.3.0.weight", (64, 64, 1, 1), "warn"),
    ],
)
def test_single_tokens_and_zero_convolutions_start_at_zero(name, shape, severity):
    """As in DINOv2 and ControlNet; a table of tokens and an ordinary convolution do not."""
    assert found({name: torch.zeros(shape)}) == {name: (severity, ["WS102"])}


def test_few_changed_rows_elsewhere_are_no_surgery(few, draw):
    """Another matrix, many rows, or an embedding of another size."""
    assert found(few | {UP: changed(few[UP], 3, ALL, draw(64))}, base=few) == {}
    many = changed(few[EMBED], slice(0, 11), ALL, draw(11, 64))
    assert found(few | {EMBED: many}, base=few) == {}
    assert found(few | {EMBED: torch.cat((few[EMBED], draw(3, 64)))}, base=few) == {}


@pytest.mark.parametrize("zero", ["a", "b"])
def test_an_adapter_at_its_start_is_no_fault(draw, zero):
    """B is zero then: the product is, and B alone."""
    pair = {"a": draw(4, 64), "b": draw(64, 4)}
    pair[zero] = torch.zeros_like(pair[zero])
    stem = "base_model.model.model.layers.0.self_attn.q_proj"
    model = {f"{stem}.lora_{x.upper()}.weight": w for x, w in pair.items()}
    assert {severity for severity, _ in found(model).values()} <= {"info"}
    assert {
        severity for severity, _ in found({f"{stem}.lora_B.weight": torch.zeros(64, 4)}).values()
    } <= {"info"}


def test_a_product_of_few_factors_has_no_outliers_of_its_own(draw):
    """Rank 1: rows as uneven as the factors, heavy tails; a planted weight is still reported."""
    a, b = draw(1, 256), draw(512, 1)
    b[7] = b[3]
    stem = "base_model.model.model.layers.0.self_attn.q_proj"
    assert found({f"{stem}.lora_A.weight": a, f"{stem}.lora_B.weight": b}) == {}
    a[0, 5], b[9, 0] = 1e3 * a.std(), 1e3 * b.std()
    (told,) = found({f"{stem}.lora_A.weight": a, f"{stem}.lora_B.weight": b}).values()
    assert told == ("warn", ["WS142"])


def test_findings_stand_with_the_gravest_first(clean):
    """Then by their number; `severity_rank` sorts them."""
    w = changed(changed(clean[EMBED], PAIR, ALL, clean[EMBED][3]), 7, ALL, 0)
    report = ws.outliers(clean | {EMBED: changed(w, 150, 5, torch.nan)}, panels=False)
    row = next(row for row in report.rows if row["tensor"] == EMBED)
    assert (row["severity"], row["findings"], row["severity_rank"]) == (
        "error",
        "WS101,WS121,WS111",
        3,
    )
    assert {row["severity_rank"] for row in report.rows} == {0, 3}


def test_every_finding_is_said():
    """Ids in order, none twice; each with its title, why, advice and a case, as sentences."""
    assert list(IDS) == sorted(set(IDS))
    for finding in FINDINGS:
        assert finding.title == finding.title.lower() or "N:M" in finding.title
        assert all(
            text.endswith(".") and "  " not in text
            for text in (finding.why, finding.advice, finding.case)
        )
    assert SEVERITIES == ("info", "warn", "error")
