"""The quantised layouts: names of codes, and of the siblings by which they are recognised.

A layout is a group of sibling tensors whose names begin alike. `codes` is the ending of the name of
the codes, `needs` the endings of the siblings that must exist, `also` of those that may. Names are
compared after a dot is put before them, so that `.weight` is a whole word and `_scale` is not. The
first match counts: rows with more siblings precede rows with fewer. Sources: the writers of each
layout (AutoGPTQ, AutoAWQ, llm-compressor, ModelOpt, bitsandbytes, MLX, HQQ, ...). Not here: how
codes become weights.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..dtypes import DTYPES

BYTES = frozenset(("I8", "U8"))
WORDS = frozenset(("I16", "U16", "I32", "U32", "I64", "U64"))
SHORT = BYTES | {"I16", "U16"}
LONG = frozenset(("I32", "U32"))  # not I64, in which nothing is packed: those are tables of indices
EIGHT = frozenset(("F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ"))
FOUR = frozenset(("F4", "F6_E2M3", "F6_E3M2"))
# not E8M0, which holds scales, and not BOOL, which holds masks
CODES = BYTES | WORDS | EIGHT | FOUR
ANY = frozenset(DTYPES)  # bytes of codes may be declared as BF16 or F32
# a cast of a whole model makes scales 8-bit too
WIDER = frozenset(("F64", "F32", "BF16", "F16", "F8_E8M0", "U8"))


@dataclass(frozen=True)
class Layout:
    """One row: a name for notes, endings of names, and the types of codes and needed siblings."""

    name: str
    codes: str  # "" = the siblings' names begin with that of the codes
    needs: tuple[str, ...]
    also: tuple[str, ...] = ()
    dtypes: frozenset[str] = CODES
    scales: frozenset[str] = ANY  # types of `needs`
    least: int = 2  # dimensions of the codes
    methods: tuple[str, ...] = ()  # the config must name one of these; () = siblings are enough


_NF4 = (".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map", ".nested_offset")
_GPTQ = (
    "scales",
    "qzeros",
    "g_idx",
    "g_scales",
    "weight_global_scale",
    "act_global_scale",
    "forward_hadamard_matrix",
    "backward_hadamard_matrix",
)
_SCALED = (
    "_scale",
    "_scale_inv",
    "_scale_2",
    "_global_scale",
    "_zero_point",
    "_shape",
    "_g_idx",
    "_scale_max",
    "_codebook",
    "_s_channel",
)
_COMFY = (
    ".scale_weight",
    ".scale_input",
    ".weight_scale",
    ".weight_scale_2",
    ".weight_s_channel",
    ".weight_codebook",
    ".input_scale",
    ".pre_quant_scale",
)
_HQQ = (
    ".scale",
    ".zero",
    ".meta",
    ".scale_q",
    ".zero_q",
    ".meta_scale",
    ".meta_zero",
    ".scales",
    ".nbits",
    ".group_size",
    ".shape",
    ".axis",
    ".packing",
    ".unpack_view_dtype",
    ".view_as_float",
    ".quant_scale",
    ".quant_zero",
    ".compute_dtype",
    ".offload_meta",
    ".encoded_state_dict",
    ".stores_quant_config",
    ".channel_wise",
    ".optimize",
    ".round_zero",
)
_VPTQ = (
    ".centroids",
    ".centroids.weight",
    ".res_centroids",
    ".res_centroids.weight",
    ".outlier_centroids",
    ".outlier_centroids.weight",
    ".weight_scale",
    ".weight_bias",
    ".perm",
    ".invert_perm",
)
_QUIP = (
    ".SU",
    ".SV",
    ".Wscale",
    ".codebook_id",
    ".fuse_scales",
    ".had_left",
    ".had_right",
    ".rcp",
    ".tlut",
    ".tp_rank",
    ".scaleWH",
    ".rank",
)
_EXL2 = (".q_groups", ".q_group_map", ".q_invperm", ".q_perm")
_ZEROS = (".zero_point", ".zero_points", ".zeros", ".zero", ".biases")
_EXL3 = (".suh", ".svh", ".su", ".sv", ".mcg", ".mul1")
_SVDQ = ("wzeros", "wtscale", "wcscales", "smooth", "smooth_factor", "smooth_factor_orig")
_TORCHAO = (
    "_scale",
    "_zero_point",
    "_per_tensor_scale",
    "_act_per_tensor_scale",
    "_act_pre_scale",
    "_block_size",
)

LAYOUTS = (
    # bitsandbytes
    Layout("bitsandbytes nf4", "", (".quant_state.bitsandbytes__nf4",), _NF4, ANY, least=1),
    Layout("bitsandbytes fp4", "", (".quant_state.bitsandbytes__fp4",), _NF4, ANY, least=1),
    Layout("bitsandbytes 4-bit", "", (".absmax", ".quant_map"), _NF4, ANY, least=1),
    Layout("bitsandbytes 4-bit", "", (".absmax",), _NF4, BYTES, least=1),
    Layout("bitsandbytes int8", ".weight", (".SCB",), (".weight_format",), BYTES),
    Layout("bitsandbytes int8", ".CB", (".SCB",), (".weight_format",), BYTES),
    Layout("bitsandbytes int8", "", (".SCB",), ("_format",), BYTES),
    # packed integers with scales per group: GPTQ and its kin
    Layout("SVDQuant", "qweight", ("wscales",), _SVDQ),
    Layout("GPTQ", "qweight", ("scales", "g_idx"), _GPTQ, WORDS),
    Layout("GPTQ or AWQ", "qweight", ("scales",), _GPTQ),
    Layout("GPTQ or AWQ", "qweight", ("qzeros",), _GPTQ),
    Layout("EETQ", "qweight", ("weight_scales",)),
    Layout("EETQ", "qweight", ("weight_scale",)),
    Layout("EETQ", ".weight", (".weight_scales",), dtypes=BYTES),
    Layout(
        "Marlin",
        ".B",
        (".s",),
        (".workspace",),
        WORDS,
        methods=("marlin", "gptq", "gptq_marlin", "is_marlin_format"),
    ),
    Layout("Marlin 2:4", ".B_24", (".s",), (".B_meta", ".workspace"), WORDS),
    Layout("Marlin 2:4", ".weight_packed", (".scale_packed",), (".meta",)),
    Layout("EXL2", ".q_weight", (".q_scale", ".q_scale_max"), _EXL2, WORDS),
    Layout("MLC-LLM", ".q_weight", (".q_scale",), (".q_zero",), WORDS),
    # compressed-tensors
    Layout("compressed-tensors pack-quantized", "_packed", ("_scale", "_shape"), _SCALED, WORDS),
    Layout("compressed-tensors NVFP4", "_packed", ("_scale", "_global_scale"), _SCALED),
    Layout("compressed-tensors MXFP4", "_packed", ("_scale",), _SCALED, BYTES),
    Layout("compressed-tensors pack-quantized", "_packed", ("_scale",), _SCALED),
    # codebooks, trellises and other vectors of codes
    Layout("HQQ", ".W_q", (".scale", ".zero"), _HQQ, least=1),
    Layout("HQQ", ".W_q", (".nbits", ".scale", ".view_as_float"), _HQQ, ANY, least=1),
    Layout("HQQ", ".W_q", (".meta",), _HQQ, least=1),
    Layout("HQQ", ".W_q", (".scale_q",), _HQQ, least=1),
    Layout("AQLM", ".codes", (".codebooks",), (".scales",), SHORT),
    Layout("VPTQ", ".indices", (".centroids.weight",), _VPTQ, SHORT | LONG),
    Layout("VPTQ", ".indices", (".centroids",), _VPTQ, SHORT | LONG),
    Layout("VPTQ", ".res_indices", (".res_centroids.weight",), _VPTQ, SHORT | LONG),
    Layout("VPTQ", ".res_indices", (".res_centroids",), _VPTQ, SHORT | LONG),
    Layout("VPTQ", ".outlier_indices", (".outlier_centroids.weight",), _VPTQ, SHORT | LONG),
    Layout("VPTQ", ".outlier_indices", (".outlier_centroids",), _VPTQ, SHORT | LONG),
    *(
        Layout("QuIP#", f".Qidxs{part}", (side,), _QUIP)
        for part in ("", "_0", "_1", "_2")
        for side in (".SU", ".SV")
    ),
    Layout("QTIP", ".trellis", (".SU",), _QUIP),
    Layout("QTIP", ".trellis", (".SV",), _QUIP),
    *(Layout("EXL3", ".trellis", (side,), _EXL3) for side in _EXL3[:4]),
    Layout("SpQR", ".dense_weights", (".row_offsets", ".col_vals"), (".in_perm",), least=1),
    Layout("HIGGS", ".weight", (".scales", ".tables"), (".tables2",), WORDS),
    # gpt-oss
    Layout("MXFP4", "_blocks", ("_scales",), dtypes=BYTES),
    # tensor subclasses, written out part by part
    *(
        Layout(
            "quanto",
            f".weight{data}",
            (".weight._scale",),
            (".weight._shift", ".input_scale", ".output_scale"),
            least=1,
        )
        for data in ("._data._data", "._data")
    ),
    Layout("quanto", "._data._data", ("._scale",), ("._shift",), least=1),
    Layout("quanto", "._data", ("._scale",), ("._shift",), least=1),
    Layout(
        "torchao", "._weight_qdata", (), tuple(f"._weight{ending}" for ending in _TORCHAO), least=1
    ),
    Layout("torchao", "_qdata", (), _TORCHAO, least=1),
    Layout("torchao", "_int_data", ("_scale",), _TORCHAO, least=1),
    # a weight under its usual name, its scale beside it
    Layout("MLX", ".weight", (".scales", ".biases"), (), WORDS),
    Layout("MLX", ".weight", (".scales",), (), WORDS),
    Layout("ComfyUI scaled FP8", ".weight", (".scale_weight",), _COMFY),
    Layout("ComfyUI", ".weight", (".comfy_quant",), _COMFY),
    Layout("FP8 with scales", ".weight", (".qscale_weight",), (".qscale_act",), EIGHT),
    Layout(
        "TensorRT-LLM",
        ".weight",
        (".weights_scaling_factor",),
        (".activation_scaling_factor", ".weights_scaling_factor_2", ".prequant_scaling_factor"),
    ),
    Layout("TensorRT-LLM", ".weight", (".per_channel_scale",), (), BYTES),
    Layout("FP8 with block scales", "", ("_scale_inv",), _SCALED, EIGHT, WIDER),
    Layout("NVFP4", "", ("_scale", "_scale_2"), _SCALED, BYTES | FOUR),
    Layout("FP8 with scales", "", ("_scale",), _SCALED, EIGHT, WIDER),
    Layout("FP8 with scales", "", ("_scales",), _SCALED, EIGHT, WIDER),
    Layout("FP8 with scales", ".weight", (".scale",), (), EIGHT, WIDER),
    Layout("FP8 with scales", ".weight", (".scales",), (), EIGHT, WIDER),
    Layout("FP8 with scales", ".kernel", (".scale",), (), EIGHT, WIDER),
    *(
        Layout("4-bit floats with scales", codes, (scale,), _SCALED if not codes else (), FOUR)
        for codes, scale in (
            ("", "_scale"),
            ("", "_scale_inv"),
            ("", "_scales"),
            (".weight", ".scale"),
        )
    ),
    *(
        Layout("integers with scales", codes, (scale,), _SCALED if not codes else _ZEROS, BYTES)
        for codes, scale in (
            ("", "_scale"),
            ("", "_scale_inv"),
            ("", "_scales"),
            (".weight", ".scale"),
            (".weight", ".scales"),
            (".kernel", ".scale"),
        )
    ),
    Layout("integers with scales", ".weight", ("._scale",), ("._zero_point",), BYTES),
)

# The ending of the weight's name by that of its codes; other endings are equal in both.
STANDS_FOR = {
    "qweight": "weight",
    "_packed": "",
    "._data": "",
    "._data._data": "",
    ".weight._data": ".weight",
    ".weight._data._data": ".weight",
    "_qdata": "",
    "_int_data": "",
    ".weight_packed": ".weight",
    "._weight_qdata": ".weight",
    ".CB": ".weight",
    ".B": ".weight",
    ".B_24": ".weight",
    ".q_weight": ".weight",
    ".W_q": ".weight",
    ".codes": ".weight",
    ".indices": ".weight",
    ".Qidxs": ".weight",
    ".trellis": ".weight",
    ".dense_weights": ".weight",
}

# The endings of names of codes that only the config or the metadata declares: those of weights.
WEIGHT_LIKE = tuple(
    dict.fromkeys(
        (
            *(layout.codes for layout in LAYOUTS if layout.codes),
            "weight",
            "weights",
            "kernel",
            "_proj",
            ".w1",
            ".w2",
            ".w3",
        )
    )
)
