"""Constants of code and adapters at their identity raise no warning; the same faults in weights do.

Each situation has a neighbour of ordinary weights, in which the finding is a warning.
"""

from math import inf, nan, pi

import pytest
import torch

import weightscope as ws

SIZE = 32
LOWER = torch.ones(SIZE, SIZE).tril()
MATRIX = "net.stage.weight"  # a name of no rule
DIM = 64


def severities(model):
    """Severity and findings by name."""
    rows = ws.outliers(model, panels=False).rows
    return {row["tensor"]: (row["severity"], row["findings"]) for row in rows}


def alarms(model):
    """The tensors with a warning or an error."""
    return [
        name for name, (gravity, _) in severities(model).items() if gravity in ("warn", "error")
    ]


MASKS = {
    "zeros and ones": LOWER,
    "inverted": 1 - LOWER,
    "of four dimensions": LOWER[None, None],
    "bool": LOWER > 0,
    "bytes": LOWER.byte(),
    "all true": torch.ones(SIZE, SIZE) > 0,
    "half precision": LOWER.half(),
    "-Inf": torch.full((SIZE, SIZE), -inf).triu(1),
    "-Inf in half precision": torch.full((1, 1, SIZE, SIZE), -inf).triu(1).half(),
    "large": torch.full((300, 300), -inf).triu(1),
    "-1e9": torch.full((SIZE, SIZE), -1e9).triu(1),
    "-1e4": -1e4 * (1 - LOWER),
    "bf16": (torch.finfo(torch.bfloat16).min * (1 - LOWER)).bfloat16(),
    "the largest float": torch.full((SIZE, SIZE), torch.finfo(torch.float32).min).triu(1),
    "one value far out": torch.zeros(200, 200).index_fill(1, torch.tensor([3]), -1e9),
}


@pytest.mark.parametrize("name", ["net.causal", "attn_bias", "h.0.attn.visible"])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_a_mask_of_any_name_raises_no_alarm(name, mask):
    """Its lines are equal, zero and infinite by design; a note or a message states what it is."""
    ws.outliers({name: mask}, panels=False, columns=["tensor", "nan"], fail_if="nan + inf > 0")
    report = ws.outliers({name: mask}, panels=False, fail_if="severity_rank >= 2")
    if mask.isinf().any():
        assert report.rows == ()
        assert f"1 mask of zeros and -Inf left out: {name}" in report.closing
        return
    (row,) = report.rows
    # Of 1 x 1 x 32 x 32 there are no lines, and so no finding.
    assert "fixed-table" in row["note_codes"] or row["findings"] is None


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_a_named_mask_is_a_buffer(mask):
    """Without a row: `attn.mask` of -Inf passes every gate."""
    model = {"layers.0.attn.mask": mask, MATRIX: torch.randn(DIM, DIM)}
    report = ws.outliers(model, panels=False, fail_if="severity_rank >= 2 or nan + inf > 0")
    assert [row["tensor"] for row in report.rows] == [MATRIX]


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("name", ["net.mask_buffer", "masks.0", "attn.causalMask", "mask1.weight"])
def test_a_mask_that_keeps_or_drops_all_raises_no_alarm(name, value):
    """A matrix of another name that was never filled does."""
    filled = torch.full((SIZE, SIZE), value)
    assert alarms({name: filled}) == []
    assert alarms({MATRIX: filled}) == [MATRIX]


def frequencies(size=128):
    """Angles of a discrete Fourier transform: frequency x time."""
    angles = torch.arange(size)[None] * torch.arange(size // 2 + 1)[:, None]
    return 2 * pi * angles / size


def cosines(size=40, kept=20):
    """The orthonormal matrix of a cosine transform in MFCC: its first column is constant."""
    times = pi / size * (torch.arange(size) + 0.5)
    basis = torch.cos(times[:, None] * torch.arange(kept)[None])
    basis[:, 0] /= 2**0.5
    return basis * (2 / size) ** 0.5


def positions(rows=100, columns=DIM):
    """Angles of sinusoidal positions."""
    rates = 1e4 ** (-torch.arange(0, columns, 2) / columns)
    return torch.arange(float(rows))[:, None] * rates


def sinusoids():
    """Sines beside cosines, and their rows in turn."""
    return torch.stack((positions().sin(), positions().cos()), -1).flatten(1)


def hadamard():
    """Of +-1, the first row and column constant."""
    square = torch.ones(1, 1)
    for _ in range(5):
        square = torch.cat((torch.cat((square, square), 1), torch.cat((square, -square), 1)))
    return square


def coupling(order=1):
    """Wigner 3j symbols of l = 1, 1, 1: six of +-1/sqrt 6; of 1, 1, 0: a diagonal."""
    if order == 0:
        return torch.eye(3)[:, :, None] / 3**0.5
    symbols = torch.zeros(3, 3, 3)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        symbols[i, j, k], symbols[j, i, k] = 6**-0.5, -(6**-0.5)
    return symbols


TABLES = {
    "sines": ("wsin_of", frequencies().sin()),
    "sines by time": ("stft.imag_of", frequencies().sin().T.contiguous()),
    "sines as a filter bank": ("stft.kernel_sin", frequencies().sin()[:, None]),
    "sines as kernels": ("stft.conv1.weight", frequencies().sin()[:, None, :, None]),
    "windowed": ("stft.conv2.weight", (frequencies().sin() * torch.hann_window(128))[:, None]),
    "inverse": ("istft.conv_imag.weight", frequencies().sin().T[:, :, None].contiguous()),
    "both in one": (
        "stft.basis",
        torch.cat((frequencies().cos(), frequencies().sin()))[:, None] * torch.hann_window(128),
    ),
    "cosine transform": ("mfcc.dct_mat", cosines()),
    "cosine transform of 16 bits": ("mfcc.dct_mat", cosines().half()),
    "sinusoids": ("pos_encoder.pe", sinusoids()[None]),
    "sinusoids of 16 bits": ("pos_encoder.pe", sinusoids().bfloat16()),
    "sinusoids of a known place": ("model.encoder.embed_positions.weight", sinusoids().half()),
    "sines of positions": ("rope.sines", positions().sin()),
    "cosines of positions": ("rope.cosines", positions().cos().bfloat16()),
    "Hadamard": ("rotation.had_K", hadamard()),
    "one-hot": ("selection", torch.eye(SIZE)[:, torch.arange(SIZE) // 2].contiguous()),
    "coordinates": ("grid", torch.cartesian_prod(torch.arange(5.0), torch.arange(4.0)).T),
    "indices": ("net.lookup_of", torch.arange(SIZE).repeat(SIZE, 1)),
    "indices of zeros": ("net.segments", torch.zeros(SIZE, SIZE, dtype=torch.int64)),
    "coupling": ("tp.coefficients", coupling()),
    "a diagonal coupling": ("tp.coefficients", coupling(0)),
    "coupling of e3nn": ("0_convolution.convolution._compiled_main._w3j_1_1_1", coupling()),
}


@pytest.mark.parametrize(("name", "table"), TABLES.values(), ids=TABLES)
def test_a_computed_table_raises_no_alarm(name, table):
    """The zero row of sines, the constant column of a cosine transform and the like."""
    assert alarms({name: table}) == []


def planted(rows, columns, value):
    """Gaussian weights with one part replaced."""
    weights = torch.randn(96, DIM, generator=torch.Generator().manual_seed(0)) / 8
    weights[rows, columns] = value
    return weights


ALL = slice(None)
FAULTS = {
    "a zero row": ("WS111", planted(7, ALL, 0)),
    "two zero rows": ("WS111", planted([0, 7], ALL, 0)),
    "a zero column": ("WS111", planted(ALL, 0, 0)),
    "a zero row and column": ("WS111", planted(0, ALL, 0) * (torch.arange(DIM) != 5)),
    "a constant row": ("WS112", planted(0, ALL, 1.0)),
    "constant rows": ("WS112", planted(slice(90), ALL, 0.02)),
    "rows and ones": ("WS112", torch.ones(96, DIM) * 0.02 * (torch.arange(96) != 7)[:, None]),
    "large weights of 16 bits": ("WS111", (1e6 * planted(7, ALL, 0)).bfloat16()),
    "zeros": ("WS102", torch.zeros(96, DIM)),
    "ones": ("WS103", torch.ones(96, DIM)),
    "Inf": ("WS101", planted(3, 5, inf)),
    "-Inf": ("WS101", planted(3, 5, -inf)),
    "NaN": ("WS101", planted(3, 5, nan)),
    "Inf among whole numbers": ("WS101", torch.where(LOWER > 0, inf, 0.0)),
    "NaN among whole numbers": ("WS101", torch.where(LOWER > 0, nan, 0.0)),
}


@pytest.mark.parametrize(("finding", "weights"), FAULTS.values(), ids=FAULTS)
def test_the_same_faults_of_weights_are_alarms(finding, weights):
    """In a tensor of unknown role, without a property of a table."""
    gravity, findings = severities({MATRIX: weights})[MATRIX]
    assert gravity == ("error" if finding == "WS101" else "warn")
    assert finding in findings.split(",")


def test_a_basis_in_the_place_of_a_weight_is_an_alarm():
    """Its role proves a weight: a zero row of orthonormal rows is dead."""
    name = "model.layers.0.self_attn.q_proj.weight"
    assert alarms({name: torch.eye(DIM)[torch.randperm(DIM)] * (torch.arange(DIM) != 5)}) == [name]


@pytest.mark.parametrize(
    "name",
    [
        "item_emb.weight",
        "embs.0.weight",
        "src_embed.0.lut.weight",
        "node_embedding",
        "wordEmb.weight",
        "vocab_table.weight",
    ],
)
@pytest.mark.parametrize("rows", [0, 7, [3, 50]])
def test_padding_of_an_embedding_of_any_name_is_no_alarm(name, rows):
    """The last word of the module tells."""
    assert severities({name: planted(rows, ALL, 0)})[name] == ("info", "WS111")


@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("name", ["E.weight", "user_factors.weight", "tok.weight"])
def test_one_zero_row_where_padding_is_raises_no_alarm(name, row):
    """Row 0, or 1 as in RoBERTa, of a matrix that nothing proves a layer."""
    assert severities({name: planted(row, ALL, 0)})[name] == ("info", "WS111")


@pytest.mark.parametrize(
    "name",
    [
        "patch_embed.proj.weight",
        "embed_proj.weight",
        "ensemble.weight",
        "member.weight",
        "embedding.linear.weight",
    ],
)
def test_a_dead_unit_of_a_projection_is_an_alarm(name):
    """Its name is no table's, or is a layer's by its bias."""
    assert alarms({name: planted(7, ALL, 0)}) == [name]
    layer = {"emb.weight": planted(0, ALL, 0), "emb.bias": torch.ones(96)}
    assert alarms(layer) == ["emb.weight"]


def test_of_many_masks_a_few_are_named():
    """The message counts the others; weights of the model keep their rows."""
    masks = {f"h.{i}.attn.visible": MASKS["-Inf"].clone() for i in range(6)}
    report = ws.outliers(masks | {MATRIX: planted(7, ALL, 0)}, panels=False)
    assert [row["tensor"] for row in report.rows] == [MATRIX]
    text = "6 masks of zeros and -Inf left out: h.0.attn.visible, h.1.attn.visible"
    assert report.closing.startswith(text)
    assert " more\n1 tensor: 0 errors, 1 warning" in report.closing
