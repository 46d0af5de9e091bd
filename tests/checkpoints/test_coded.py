"""Codes of quantised layouts are recognised by siblings, config or metadata; weights are not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import weightscope as ws
from tests.noted import told
from weightscope.checkpoints import Checkpoint, Stored, open_checkpoint
from weightscope.checkpoints.coded import with_codes
from weightscope.checkpoints.declared import declared
from weightscope.checkpoints.layouts import CODES, LAYOUTS
from weightscope.dtypes import DTYPES
from weightscope.notes import Note

pytestmark = pytest.mark.usefixtures("laws_are_fitted_once")
Dims = tuple[int, ...]
Shapes = Mapping[str, tuple[str, Dims]]
M = "model.layers.3.mlp.up_proj"
SCALE = ("F32", (64, 1))
BNB: Shapes = {
    "weight.absmax": ("U8", (64,)),
    "weight.quant_map": ("F32", (16,)),
    "weight.nested_absmax": ("F32", (1,)),
    "weight.nested_quant_map": ("F32", (256,)),
}

# layout, name of the codes, type and shape, siblings: below M
GROUPS: Sequence[tuple[str, str, str, Dims, Shapes]] = (
    (
        "bitsandbytes nf4",
        "weight",
        "U8",
        (1024, 1),
        {**BNB, "weight.quant_state.bitsandbytes__nf4": ("U8", (90,))},
    ),
    (
        "bitsandbytes fp4",
        "weight",
        "U8",
        (1024, 1),
        {**BNB, "weight.quant_state.bitsandbytes__fp4": ("U8", (90,))},
    ),
    (
        "bitsandbytes nf4",
        "weight",
        "BF16",
        (512, 1),
        {**BNB, "weight.quant_state.bitsandbytes__nf4": ("U8", (90,))},
    ),
    ("bitsandbytes 4-bit", "weight", "U8", (1024, 1), BNB),
    ("bitsandbytes 4-bit", "weight", "U8", (1024, 1), {"weight.absmax": ("F32", (32,))}),
    (
        "bitsandbytes int8",
        "weight",
        "I8",
        (64, 32),
        {"SCB": ("F32", (64,)), "weight_format": ("U8", ())},
    ),
    ("bitsandbytes int8", "CB", "I8", (64, 32), {"SCB": ("F32", (64,))}),
    (
        "bitsandbytes int8",
        "weight",
        "I8",
        (64, 32),
        {"weight.SCB": ("F32", (64,)), "weight_format": ("U8", ())},
    ),
    (
        "SVDQuant",
        "qweight",
        "I8",
        (64, 16),
        {
            "wscales": ("BF16", (2, 64)),
            "smooth_factor": ("BF16", (32,)),
            "wzeros": ("BF16", (2, 64)),
        },
    ),
    (
        "GPTQ",
        "qweight",
        "I32",
        (4, 64),
        {"qzeros": ("I32", (2, 8)), "scales": ("F16", (2, 64)), "g_idx": ("I32", (32,))},
    ),
    (
        "GPTQ or AWQ",
        "qweight",
        "I32",
        (32, 8),
        {"qzeros": ("I32", (2, 8)), "scales": ("F16", (2, 64))},
    ),
    ("GPTQ or AWQ", "qweight", "I32", (32, 8), {"qzeros": ("I32", (2, 8))}),
    ("EETQ", "qweight", "I8", (32, 64), {"weight_scales": ("F16", (64,))}),
    ("EETQ", "qweight", "I8", (32, 64), {"weight_scale": ("F16", (64,))}),
    ("EETQ", "weight", "I8", (32, 64), {"weight_scales": ("F16", (64,))}),
    ("Marlin 2:4", "B_24", "I32", (2, 64), {"s": ("F16", (1, 64)), "B_meta": ("I16", (8, 8))}),
    (
        "Marlin 2:4",
        "weight_packed",
        "I32",
        (2, 64),
        {"scale_packed": ("F16", (1, 64)), "meta": ("I16", (8, 8))},
    ),
    (
        "EXL2",
        "q_weight",
        "I32",
        (4, 64),
        {
            "q_scale": ("I32", (2, 8)),
            "q_scale_max": ("F16", (2,)),
            "q_groups": ("I16", (4,)),
            "q_invperm": ("I32", (32,)),
        },
    ),
    ("MLC-LLM", "q_weight", "U32", (64, 4), {"q_scale": ("F16", (64, 1))}),
    (
        "integers with scales",
        "qweight",
        "I8",
        (64, 32),
        {"s1_scales": ("F16", (64,)), "s1_szeros": ("F16", (64,))},
    ),
    ("packed integers", "qweight", "I32", (4, 64), {}),
    ("integers with scales", "weight", "I8", (64, 32), {"quant_scale": SCALE}),
    ("integers with scales", "weight", "I8", (64, 32), {"dequant_scale": SCALE, "w_scale": SCALE}),
    ("integers with scales", "weight", "U8", (64, 32), {"weight_quantizer._scale": SCALE}),
    ("integers with scales", "weight_int8", "I8", (64, 32), {"weight_scale": SCALE}),
    ("integers with scales", "int_weight", "I8", (64, 32), {"scale": SCALE}),
    ("integers with scales", "quantized_weight", "U8", (64, 32), {"scale": SCALE}),
    (
        "small floats with scales",
        "weight",
        "F8_E4M3",
        (64, 32),
        {"weight_scaling_factor": ("F32", ())},
    ),
    ("small floats with scales", "weight", "F8_E4M3", (64, 32), {"scale_inv": SCALE}),
    (
        "small floats with scales",
        "weight",
        "F8_E4M3",
        (64, 32),
        {"weight_quantizer._amax": ("F32", ())},
    ),
    (
        "small floats with scales",
        "gate_up_proj",
        "F8_E4M3",
        (2, 64, 32),
        {"gate_up_proj_weight_scale": SCALE},
    ),
    (
        "compressed-tensors pack-quantized",
        "weight_packed",
        "I32",
        (64, 4),
        {
            "weight_scale": ("BF16", (64, 2)),
            "weight_shape": ("I64", (2,)),
            "weight_zero_point": ("I32", (8, 2)),
        },
    ),
    (
        "compressed-tensors pack-quantized",
        "weight_packed",
        "I32",
        (64, 4),
        {"weight_scale": ("BF16", (64, 2))},
    ),
    (
        "compressed-tensors NVFP4",
        "weight_packed",
        "U8",
        (64, 16),
        {"weight_scale": ("F8_E4M3", (64, 2)), "weight_global_scale": ("F32", (1,))},
    ),
    (
        "compressed-tensors MXFP4",
        "weight_packed",
        "U8",
        (64, 16),
        {"weight_scale": ("U8", (64, 1))},
    ),
    (
        "HQQ",
        "W_q",
        "U8",
        (32, 32),
        {
            "scale": ("F16", (64, 1)),
            "zero": ("F16", (64, 1)),
            "nbits": ("I32", (1,)),
            "group_size": ("I32", (1,)),
            "shape": ("I32", (2,)),
        },
    ),
    (
        "HQQ",
        "W_q",
        "BF16",
        (16, 32),
        {
            "scale": ("BF16", (64, 1)),
            "zero": ("BF16", (64, 1)),
            "nbits": ("I32", (1,)),
            "view_as_float": ("U8", (1,)),
        },
    ),
    ("HQQ", "W_q", "U8", (32, 32), {"meta": ("F16", (64, 2))}),
    ("HQQ", "W_q", "U8", (32, 32), {"scale_q": ("U8", (64, 1)), "zero_q": ("U8", (64, 1))}),
    (
        "AQLM",
        "codes",
        "I8",
        (64, 4, 1),
        {"codebooks": ("F16", (1, 256, 1, 8)), "scales": ("F16", (64, 1, 1, 1))},
    ),
    (
        "VPTQ",
        "indices",
        "I32",
        (1, 4, 64),
        {
            "centroids.weight": ("F16", (1, 2048)),
            "perm": ("I16", (32,)),
            "weight_scale": ("F16", (32,)),
            "weight_bias": ("F16", (32,)),
        },
    ),
    ("VPTQ", "indices", "I32", (1, 4, 64), {"centroids": ("F16", (1, 256, 8))}),
    ("VPTQ", "res_indices", "I32", (1, 4, 64), {"res_centroids.weight": ("F16", (1, 2048))}),
    ("VPTQ", "res_indices", "I32", (1, 4, 64), {"res_centroids": ("F16", (1, 256, 8))}),
    (
        "VPTQ",
        "outlier_indices",
        "I32",
        (1, 4, 64),
        {"outlier_centroids.weight": ("F16", (1, 2048))},
    ),
    ("VPTQ", "outlier_indices", "I32", (1, 4, 64), {"outlier_centroids": ("F16", (1, 256, 8))}),
    (
        "QuIP#",
        "Qidxs",
        "I64",
        (64, 4),
        {"SU": ("F16", (32,)), "SV": ("F16", (64,)), "Wscale": ("F32", ())},
    ),
    ("QuIP#", "Qidxs", "I64", (64, 4), {"SV": ("F16", (64,))}),
    *(
        ("QuIP#", f"Qidxs_{i}", "I64", (64, 4), {side: ("F16", (64,))})
        for i in range(3)
        for side in ("SU", "SV")
    ),
    (
        "QTIP",
        "trellis",
        "I16",
        (8, 64),
        {"SU": ("F16", (32,)), "SV": ("F16", (64,)), "tlut": ("F16", (512, 2))},
    ),
    ("QTIP", "trellis", "I16", (8, 64), {"SV": ("F16", (64,))}),
    (
        "EXL3",
        "trellis",
        "I16",
        (2, 4, 48),
        {"suh": ("F16", (32,)), "svh": ("F16", (64,)), "mcg": ("I32", ())},
    ),
    *(
        ("EXL3", "trellis", "I16", (2, 4, 48), {side: ("F16", (32,))})
        for side in ("svh", "su", "sv")
    ),
    (
        "SpQR",
        "dense_weights",
        "I64",
        (512,),
        {"row_offsets": ("I32", (65,)), "col_vals": ("I32", (9,)), "in_perm": ("I16", (32,))},
    ),
    (
        "HIGGS",
        "weight",
        "I16",
        (16, 64),
        {"scales": ("F16", (64, 1)), "tables": ("F16", (16, 2)), "tables2": ("F32", (16, 16))},
    ),
    (
        "MXFP4",
        "experts.down_proj_blocks",
        "U8",
        (2, 64, 4, 16),
        {"experts.down_proj_scales": ("U8", (2, 64, 4))},
    ),
    *(
        (
            "quanto",
            f"{name}{data}",
            "I8",
            (64, 32),
            {f"{name}._scale": SCALE, f"{name}._shift": SCALE},
        )
        for name in ("weight", "gate_up_proj")
        for data in ("._data", "._data._data")
    ),
    (
        "torchao",
        "_weight_qdata",
        "I8",
        (64, 32),
        {"_weight_scale": SCALE, "_weight_zero_point": ("I8", (64, 1))},
    ),
    ("torchao", "_gate_up_proj_qdata", "F8_E4M3", (64, 32), {"_gate_up_proj_scale": SCALE}),
    ("torchao", "weight_int_data", "I8", (64, 32), {"weight_scale": SCALE}),
    ("MLX", "weight", "U32", (64, 4), {"scales": ("BF16", (64, 1)), "biases": ("BF16", (64, 1))}),
    ("MLX", "weight", "U32", (64, 4), {"scales": ("U8", (64, 1))}),
    (
        "ComfyUI scaled FP8",
        "weight",
        "F8_E4M3",
        (64, 32),
        {"scale_weight": ("F32", ()), "scale_input": ("F32", ())},
    ),
    (
        "ComfyUI",
        "weight",
        "I8",
        (64, 32),
        {"comfy_quant": ("U8", (40,)), "weight_scale": ("F32", ())},
    ),
    (
        "FP8 with scales",
        "weight",
        "F8_E4M3",
        (64, 32),
        {"qscale_weight": ("F32", ()), "qscale_act": ("F32", ())},
    ),
    ("TensorRT-LLM", "weight", "F8_E4M3", (64, 32), {"weights_scaling_factor": ("F32", (1,))}),
    ("TensorRT-LLM", "weight", "I8", (64, 32), {"per_channel_scale": ("F16", (64,))}),
    ("FP8 with block scales", "weight", "F8_E4M3", (64, 32), {"weight_scale_inv": ("F32", (1, 1))}),
    (
        "FP8 with block scales",
        "experts.gate_up_proj",
        "F8_E4M3",
        (2, 64, 32),
        {"experts.gate_up_proj_scale_inv": ("F32", (2, 1, 1))},
    ),
    (
        "NVFP4",
        "weight",
        "U8",
        (64, 16),
        {"weight_scale": ("F8_E4M3", (64, 2)), "weight_scale_2": ("F32", ())},
    ),
    (
        "FP8 with scales",
        "weight",
        "F8_E4M3",
        (64, 32),
        {"weight_scale": ("F32", ()), "input_scale": ("F32", ())},
    ),
    ("FP8 with scales", "weight", "F8_E4M3", (64, 32), {"weight_scales": SCALE}),
    ("FP8 with scales", "weight", "F8_E4M3", (64, 32), {"scale": ("F8_E8M0", (1, 1))}),
    ("FP8 with scales", "weight", "F8_E5M2", (64, 32), {"scales": SCALE}),
    ("FP8 with scales", "kernel", "F8_E4M3", (64, 32), {"scale": ("F32", ())}),
    ("4-bit floats with scales", "weight", "F4", (64, 32), {"weight_scale": ("F8_E4M3", (64, 2))}),
    ("4-bit floats with scales", "weight", "F4", (64, 32), {"weight_scale_inv": ("F32", (64, 2))}),
    ("4-bit floats with scales", "weight", "F4", (64, 32), {"weight_scales": ("F32", (64, 2))}),
    ("4-bit floats with scales", "weight", "F4", (64, 32), {"scale": ("F8_E8M0", (64, 1))}),
    (
        "integers with scales",
        "weight",
        "I8",
        (64, 32),
        {"weight_scale": SCALE, "weight_zero_point": ("I8", (64, 1))},
    ),
    ("integers with scales", "weight", "U8", (16, 32), {"weight_scale": ("BF16", (1,))}),  # BitNet
    ("integers with scales", "weight", "I8", (64, 32), {"weight_scale_inv": SCALE}),
    ("integers with scales", "w1", "I8", (64, 32), {"w1_scales": SCALE}),
    (
        "integers with scales",
        "weight",
        "I8",
        (64, 16),
        {"scale": ("F8_E8M0", (64, 1))},
    ),  # DeepSeek's FP4 experts
    ("integers with scales", "weight", "I8", (64, 16), {"scales": ("F16", (64, 1))}),
    ("integers with scales", "kernel", "I8", (64, 16), {"scale": SCALE}),
    ("integers with scales", "weight", "I8", (64, 16), {"_scale": SCALE, "_zero_point": SCALE}),
)
MARLIN: Shapes = {f"{M}.B": ("I32", (2, 128)), f"{M}.s": ("F16", (1, 64))}


def opened(
    shapes: Shapes,
    config: Mapping[str, object] | None = None,
    metadata: Mapping[str, str] | None = None,
    **fields: object,
) -> Checkpoint:
    """A checkpoint of these types and shapes, its codes marked; nothing is stored."""
    tensors = tuple(Stored(name, dims, dtype) for name, (dtype, dims) in shapes.items())
    whole = Checkpoint("", tensors, config or {}, metadata or {}, **fields)  # type: ignore[arg-type]  # as named
    return with_codes(whole)


def layouts(checkpoint: Checkpoint) -> dict[str, str]:
    """The layout of every coded tensor by its name."""
    return {t.name: t.coded for t in checkpoint.tensors if t.coded}


@pytest.mark.parametrize("named", dict.fromkeys(layout for layout, *_ in GROUPS))
def test_layout(named: str) -> None:
    """Codes have their layout and are not measurable, siblings are named, a bias is neither."""
    known_by_name = {
        f"{M}.input_scale",
        f"{M}.weight_format",
    }  # by quantised.toml, below another stem
    for layout, codes, dtype, dims, beside in GROUPS:
        if layout != named:
            continue
        siblings = {f"{M}.{name}": kind for name, kind in beside.items()}
        found = opened({f"{M}.{codes}": (dtype, dims), **siblings, f"{M}.bias": ("F16", (64,))})
        assert layouts(found) == {f"{M}.{codes}": layout}, siblings
        marked = found.tensors[0]
        assert (marked.measurable, told(marked)) == (
            False,
            f"codes of {layout}: not decoded, no statistics",
        )
        assert found.siblings | known_by_name == siblings.keys() | known_by_name


def test_codes_alone_are_not_marked() -> None:
    """Without its siblings no tensor is coded, save what torchao alone calls so."""
    for _, codes, dtype, dims, _ in GROUPS:
        found = opened({f"{M}.{codes}": (dtype, dims), f"{M}.bias": ("F16", (64,))})
        assert (not layouts(found)) is not codes.endswith(("_qdata", "qweight")), codes


def test_every_row_has_a_case() -> None:
    """Each row of the table is the first match of some group: no row follows a more general one."""
    hit = set()
    for _, codes, dtype, _, beside in GROUPS:
        name = f".{M}.{codes}"
        present = {f".{M}.{sibling}": kind for sibling, (kind, _) in beside.items()}
        for i, row in enumerate(LAYOUTS):
            stem = name.removesuffix(row.codes)
            fits = dtype in row.dtypes and name.endswith(row.codes) and not row.methods
            if fits and all(present.get(stem + end, "-") in row.scales for end in row.needs):
                hit.add(i)
                break
    assert [row for i, row in enumerate(LAYOUTS) if i not in hit and not row.methods] == []


FLOATS = ("F32", "F16", "BF16", "F64")
NAMED = {f"{M}.qweight": "packed integers"}  # a name that nothing else has
PLAIN: Mapping[str, Shapes] = {
    "tables of a quantised bottleneck": {
        "vq.codes": ("I64", (8, 8)),
        "vq.codebooks": ("F32", (8, 8)),
        "ivf.indices": ("I64", (8, 8)),
        "ivf.centroids": ("F32", (4, 8)),
    },
    "learned scales at the top": {
        "text_projection": ("F8_E4M3", (8, 8)),
        "logit_scale": ("F32", ()),
    },
    "scale beside a weight": {
        "a.weight": ("F32", (8, 8)),
        "a.scale": ("F32", (8,)),
        "a.scales": ("F32", (8,)),
        "a.weight_scale": ("F32", (8,)),
        "a.zero": ("F32", (8,)),
    },
    "layer scale": {
        "h.0.attn.weight": ("F16", (8, 8)),
        "h.0.layer_scale_parameter": ("F16", (8,)),
        "h.0.gamma": ("F16", (8,)),
        "logit_scale": ("F32", ()),
    },
    "scales of a cache": {
        "a.k_proj.weight": ("BF16", (8, 8)),
        "a.k_proj.k_scale": ("F32", ()),
        "a.k_proj.input_scale": ("F32", ()),
    },
    "FP8 and scales of a cache": {
        "a.k_proj.weight": ("F8_E4M3", (8, 8)),
        "a.k_scale": ("F32", ()),
        "a.k_proj.k_scale": ("F32", ()),
        "a.k_proj.input_scale": ("F32", ()),
    },
    "batch norm": {
        "a.weight": ("F32", (8,)),
        "a.running_mean": ("F32", (8,)),
        "a.num_batches_tracked": ("I64", ()),
    },
    "FP8 without scales": {
        "a.weight": ("F8_E4M3", (8, 8)),
        "b.weight": ("F8_E5M2", (8, 8)),
        "norm.scale": ("F8_E4M3", (8,)),
        "b.bias": ("F8_E5M2", (8,)),
    },
    "FP8 cast of a scale": {
        "a.weight": ("F8_E4M3", (8, 8)),
        "a.scale": ("F8_E4M3", (8,)),
        "a.weight_scale": ("F8_E4M3", (8,)),
    },
    "FP8 norm": {
        "a.weight": ("F8_E4M3", (8,)),
        "a.scale": ("F32", (8,)),
        "a.weight_scale": ("F32", (8,)),
    },
    "buffers": {
        "a.position_ids": ("I64", (1, 8)),
        "a.mask": ("BOOL", (8, 8)),
        "a.mask_scale": ("F32", ()),
        "a.relative_position_index": ("I64", (8, 8)),
        "a.weight": ("F32", (8, 8)),
        "a.scale": ("F32", (8,)),
        "a.g_idx": ("I32", (8,)),
        "a.scales": ("F32", (8,)),
        "a.biases": ("F32", (8,)),
    },
    "words of layouts": {
        "a.W_q": ("F32", (8, 8)),
        "a.scale": ("F32", (8,)),
        "a.zero": ("F32", (8,)),
        "a.codes": ("F32", (8, 8)),
        "a.codebooks": ("F32", (8, 8)),
        "a.B": ("F32", (8, 8)),
        "a.s": ("F32", (8,)),
        "a.meta": ("I64", (8, 8)),
    },
    "a B beside an s": MARLIN,
}


@pytest.mark.parametrize("case", PLAIN)
def test_weights_stay_weights(case: str) -> None:
    """What has a scale of its own beside it, or 8 bits and no scale, is measured as ever."""
    found = opened(PLAIN[case])
    assert (layouts(found), found.siblings) == ({}, frozenset())
    assert [t.name for t in found.tensors if not t.measurable or t.notes] == []


CONFIGS: Mapping[str, tuple[Mapping[str, object], str]] = {
    **{
        name: ({"quantization_config": {"quant_method": name}}, name)
        for name in (
            "fp8",
            "gptq",
            "awq",
            "bitsandbytes",
            "compressed-tensors",
            "hqq",
            "aqlm",
            "quanto",
            "torchao",
            "eetq",
            "vptq",
            "mxfp4",
            "fbgemm_fp8",
            "higgs",
            "spqr",
            "bitnet",
            "modelopt",
        )
    },
    "flag": (
        {"quantization_config": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}},
        "bitsandbytes",
    ),
    "mlx": ({"quantization": {"group_size": 64, "bits": 4}}, "MLX"),
    "modelopt list": (
        {"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "NVFP4"}},
        "NVFP4",
    ),
    "tower": ({"text_config": {"quantization_config": {"quant_method": "awq"}}}, "awq"),
    "unnamed": ({"quantization_config": {"bits": 4}}, "a quantised layout"),
}
ORPHANS: Shapes = {
    f"{M}.qweight": ("I32", (4, 64)),
    f"{M}.weight": ("F8_E4M3", (64, 32)),
    "h.0.weight": ("U8", (64, 1)),
    "h.1.weight_packed": ("I32", (8, 8)),
    "h.2.experts.down_proj": ("I8", (2, 8, 8)),
    "h.3.weight": ("U32", (64, 4)),
}
BUFFERS: Shapes = {
    "norm.weight": ("BF16", (32,)),
    "lm_head.weight": ("BF16", (64, 32)),
    "a.position_ids": ("I64", (1, 8)),
    "a.num_batches_tracked": ("I64", ()),
    "a.bias": ("BOOL", (1, 1, 8, 8)),
    "a.qzeros": ("I32", (2, 8)),
    "a.weight_scale": ("F8_E4M3", (8, 8)),
    "a.relative_position_index": ("I64", (8, 8)),
    "a.g_idx": ("I32", (8,)),
    "a.weight_shape": ("I64", (2,)),
    "a.scale": ("F8_E8M0", (8, 8)),
    "a.tokens": ("I64", (8, 8)),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_config_alone(case: str) -> None:
    """A config that quantises marks tensors named like weights, no floats and no buffers."""
    config, method = CONFIGS[case]
    found = opened({**ORPHANS, **BUFFERS}, config)
    assert layouts(found) == dict.fromkeys(ORPHANS, method)
    assert layouts(opened({**ORPHANS, **BUFFERS})) == NAMED


@pytest.mark.parametrize(
    "config",
    [
        {"quantization_config": None},
        {"quantization_config": {}},
        {"quantization": "none"},
        {"torch_dtype": "bfloat16"},
    ],
)
def test_configs_that_do_not_quantise(config: Mapping[str, object]) -> None:
    """An empty table says nothing."""
    assert layouts(opened(ORPHANS, config)) == NAMED


@pytest.mark.parametrize(
    "config",
    [
        {"quantization_config": {"quant_method": "gptq", "is_marlin_format": True}},
        {"quantization_config": {"quant_method": "marlin"}},
        {"quantization_config": {"quant_method": "gptq"}},
    ],
)
def test_marlin_needs_its_config(config: Mapping[str, object]) -> None:
    """B and s are names of anything; a config makes them codes and their scale."""
    found = opened(MARLIN, config)
    assert (layouts(found), found.siblings) == ({f"{M}.B": "Marlin"}, {f"{M}.s"})


METADATA: Mapping[str, tuple[Mapping[str, str], str]] = {
    "comfy": (
        {"_quantization_metadata": json.dumps({"layers": {M: {"format": "nvfp4"}}})},
        "ComfyUI nvfp4",
    ),
    "torchao": (
        {"tensor_names": "[]", f"{M}.weight": '{"_type": "Float8Tensor"}'},
        "torchao Float8Tensor",
    ),
    "nunchaku": ({"quantization_config": '{"method": "svdquant", "rank": 32}'}, "svdquant"),
    "word": ({"quant_method": "hqq"}, "hqq"),
    "format": ({"format": "nf4"}, "nf4"),
}


@pytest.mark.parametrize("case", METADATA)
def test_metadata_alone(case: str) -> None:
    """What the metadata of a file names is coded, by layer where it lists layers."""
    metadata, layout = METADATA[case]
    shapes: Shapes = {f"{M}.weight": ("F8_E4M3", (64, 32)), f"{M}.bias": ("F16", (64,))}
    assert layouts(opened(shapes, metadata=metadata)) == {f"{M}.weight": layout}
    if case in ("comfy", "torchao"):
        assert layouts(opened({"other.weight": ("F8_E4M3", (64, 32))}, metadata=metadata)) == {}


@pytest.mark.parametrize(
    "metadata",
    [
        {"format": "pt"},
        {"format": "mlx"},
        {"quantization": "fp8_e4m3fn"},
        {"quantization": "none"},
        {"quantization_config": "null"},
        {"quantization_config": "{broken"},
        {"_quantization_metadata": "[1]"},
        {"_quantization_metadata": '{"layers": [1]}'},
        {"_quantization_metadata": '{"layers": {"x": 1}}'},
        {"quantization_config": "[" * 100_000},
        {"quantization": "torch.float8_e5m2"},
        {"note": "nf4"},
    ],
)
def test_metadata_that_does_not_quantise(metadata: Mapping[str, str]) -> None:
    """A cast to 8-bit floats is no layout, and broken JSON says nothing."""
    assert layouts(opened({"a.weight": ("F8_E4M3", (64, 32))}, metadata=metadata)) == {}


def test_the_config_comes_first() -> None:
    """Where both name a method, it is the config's."""
    found = declared({"quantization_config": {"quant_method": "awq"}}, {"quant_method": "hqq"})
    assert found.of("a.weight") == "awq"


def test_notes_are_kept() -> None:
    """What was odd about the tensor is still said."""
    odd = Stored("a.qweight", (4, 8), "I32", notes=(Note("odd-name", "odd"),))
    found = with_codes(Checkpoint("", (odd, Stored("a.scales", (1, 8), "F16"))))
    assert told(found.tensors[0]) == "odd; codes of GPTQ or AWQ: not decoded, no statistics"


def test_optimizer_state_is_no_code() -> None:
    """8-bit optimizers keep codes with scales of their own; they are never measured."""
    shapes: Shapes = {"o.state1": ("U8", (8, 8)), "o.state1_scale": ("F32", (8,))}
    assert layouts(opened(shapes, optimizer=frozenset(shapes))) == {}


def test_aliases_count() -> None:
    """A sibling counts under its alias, and codes are recognised by either of their names."""
    shapes: Shapes = {"embed.weight": ("I8", (8, 8)), "embed.s": ("F32", (8,))}
    aliases = {"lm_head.weight": "embed.weight", "lm_head.weight_scale": "embed.s"}
    found = opened(shapes, aliases=aliases)
    assert (layouts(found), found.siblings) == (
        {"embed.weight": "integers with scales"},
        {"embed.s"},
    )


def test_floats_of_any_kind_are_no_codes() -> None:
    """The types of codes exclude floats of 16 bits and more, masks, and the type of scales."""
    assert {*FLOATS, "BOOL", "F8_E8M0"}.isdisjoint(CODES)
    assert DTYPES.keys() >= CODES


def draw(dtype: torch.dtype, *dims: int) -> torch.Tensor:
    """Random bytes of a type."""
    width = torch.empty(0, dtype=dtype).element_size()
    raw = torch.randint(
        0, 120, (prod(dims) * width,), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
    return raw.view(dtype).reshape(dims)


def state() -> dict[str, torch.Tensor]:
    """A GPTQ matrix in layer 3, one of floats in layer 0."""
    return {
        f"{M}.qweight": draw(torch.int32, 4, 64),
        f"{M}.qzeros": draw(torch.int32, 2, 8),
        f"{M}.scales": torch.full((2, 64), 0.01, dtype=torch.float16),
        f"{M}.g_idx": torch.arange(32).int(),
        M.replace("3", "0") + ".weight": 0.02
        * torch.randn(64, 32, generator=torch.Generator().manual_seed(0)),
    }


def stored(kind: str, folder: Path) -> object:
    """The model above in one of the forms that are opened."""
    if kind == "memory":
        return state()
    if kind == "torch":
        torch.save(state(), folder / "m.pth")
        return str(folder / "m.pth")
    if kind == "nested":
        torch.save({"model": state(), "epoch": 3}, folder / "m.pth")
        return str(folder / "m.pth")
    save_file(state(), folder / "model.safetensors")
    return str(folder if kind == "folder" else folder / "model.safetensors")


@pytest.mark.parametrize("kind", ["memory", "torch", "nested", "safetensors", "folder"])
def test_every_reader(kind: str, tmp_path: Path) -> None:
    """However a model is opened, its codes have no statistics, and its floats have theirs."""
    rows = {r["tensor"]: r for r in ws.fit(stored(kind, tmp_path)).rows}
    assert set(rows) == {f"{M}.qweight", M.replace("3", "0") + ".weight"}
    coded = rows[f"{M}.qweight"]
    assert (coded["std"], coded["quantised"], coded["role"], coded["layer"]) == (
        None,
        True,
        "mlp.up",
        3,
    )
    assert coded["note"] == "codes of GPTQ: not decoded, no statistics"
    plain = rows[M.replace("3", "0") + ".weight"]
    assert plain["std"] == pytest.approx(0.02, rel=0.1)
    assert (plain["quantised"], plain["note"]) == (False, None)


def test_folder_with_a_config(tmp_path: Path) -> None:
    """config.json beside the weights marks 8-bit floats whose scales are elsewhere."""
    save_file({"a.weight": draw(torch.float8_e4m3fn, 64, 32)}, tmp_path / "model.safetensors")
    assert ws.fit(str(tmp_path)).rows[0]["std"] is not None
    (tmp_path / "config.json").write_text(
        json.dumps({"quantization_config": {"quant_method": "fp8"}})
    )
    row = ws.fit(str(tmp_path)).rows[0]
    assert (row["std"], row["note"]) == (None, "codes of fp8: not decoded, no statistics")


def test_metadata_of_a_file(tmp_path: Path) -> None:
    """The metadata of a safetensors file does the same."""
    metadata = {
        "_quantization_metadata": json.dumps({"layers": {"a": {"format": "float8_e4m3fn"}}})
    }
    save_file({"a.weight": draw(torch.float8_e4m3fn, 64, 32)}, tmp_path / "m.safetensors", metadata)
    found = open_checkpoint(str(tmp_path / "m.safetensors"))
    assert layouts(found) == {"a.weight": "ComfyUI float8_e4m3fn"}


@pytest.mark.filterwarnings(
    "ignore:.*quantized tensor creation.*:UserWarning"
)  # torch deprecates what old files hold
def test_quantised_types_of_torch_are_codes(tmp_path: Path) -> None:
    """qint8 is listed as quantised, with null statistics."""
    weight = torch.quantize_per_tensor(torch.randn(8, 8), 0.01, 0, torch.qint8)
    torch.save({"fc.weight": weight, "fc.bias": torch.zeros(8)}, tmp_path / "q.pt")
    rows = {row["tensor"]: row for row in ws.fit(tmp_path / "q.pt").rows}
    assert (rows["fc.weight"]["quantised"], rows["fc.weight"]["std"]) == (True, None)
    assert "torch quantised (per_tensor_affine)" in str(rows["fc.weight"]["note"])
    assert rows["fc.bias"]["quantised"] is False
