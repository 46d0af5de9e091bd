"""Names and shapes of small models in every spelling in which their architecture is stored."""

from __future__ import annotations

from itertools import product

Shapes = dict[str, tuple[int, ...]]
D, M, V, N = 8, 16, 32, 2  # width, MLP, vocabulary, layers
LLAMA = {
    "hf": (
        "model.embed_tokens",
        "model.norm",
        "lm_head",
        "model.layers.{}.",
        {
            "self_attn.q_proj": (D, D),
            "self_attn.k_proj": (D // 2, D),
            "self_attn.v_proj": (D // 2, D),
            "self_attn.o_proj": (D, D),
            "mlp.gate_proj": (M, D),
            "mlp.up_proj": (M, D),
            "mlp.down_proj": (D, M),
            "input_layernorm": (D,),
            "post_attention_layernorm": (D,),
        },
    ),
    "meta": (
        "tok_embeddings",
        "norm",
        "output",
        "layers.{}.",
        {
            "attention.wq": (D, D),
            "attention.wk": (D // 2, D),
            "attention.wv": (D // 2, D),
            "attention.wo": (D, D),
            "feed_forward.w1": (M, D),
            "feed_forward.w3": (M, D),
            "feed_forward.w2": (D, M),
            "attention_norm": (D,),
            "ffn_norm": (D,),
        },
    ),
    "gguf": (
        "token_embd",
        "output_norm",
        "output",
        "blk.{}.",
        {
            "attn_q": (D, D),
            "attn_k": (D // 2, D),
            "attn_v": (D // 2, D),
            "attn_output": (D, D),
            "ffn_gate": (M, D),
            "ffn_up": (M, D),
            "ffn_down": (D, M),
            "attn_norm": (D,),
            "ffn_norm": (D,),
        },
    ),
    "torchtune": (
        "tok_embeddings",
        "norm",
        "output",
        "layers.{}.",
        {
            "attn.q_proj": (D, D),
            "attn.k_proj": (D // 2, D),
            "attn.v_proj": (D // 2, D),
            "attn.output_proj": (D, D),
            "mlp.w1": (M, D),
            "mlp.w3": (M, D),
            "mlp.w2": (D, M),
            "sa_norm": (D,),
            "mlp_norm": (D,),
        },
    ),
}
EXPERTS = 3


def llama(spelling: str) -> Shapes:
    """A Llama as transformers, Meta, llama.cpp and torchtune name it."""
    embed, norm, head, layer, inner = LLAMA[spelling]
    outer = {embed: (V, D), norm: (D,), head: (V, D)}
    layers = {layer.format(i) + name: dims for i, (name, dims) in product(range(N), inner.items())}
    vector = "scale" if spelling == "torchtune" else "weight"
    last = {1: vector, 2: "weight"}
    return {f"{name}.{last[len(dims)]}": dims for name, dims in {**outer, **layers}.items()}


def mixtral(spelling: str) -> Shapes:
    """A Mixtral with its experts apart (transformers 4), or stacked (llama.cpp; transformers 5)."""
    names = llama("gguf" if spelling == "gguf" else "hf")
    attention = {
        name: dims
        for name, dims in names.items()
        if not ("mlp." in name or "ffn_" in name) or "norm" in name
    }
    sizes = {"w1": (M, D), "w3": (M, D), "w2": (D, M)}
    if spelling == "gguf":
        stacks = dict(zip(("gate", "up", "down"), sizes.values(), strict=True))
        experts = {
            f"blk.{i}.ffn_{n}_exps.weight": (EXPERTS, *dims)
            for i in range(N)
            for n, dims in stacks.items()
        }
        routers = {f"blk.{i}.ffn_gate_inp.weight": (EXPERTS, D) for i in range(N)}
        return {**attention, **experts, **routers}
    if spelling == "stacked":
        block = "model.layers.{}.mlp."
        pairs = {"gate_up_proj": (EXPERTS, 2 * M, D), "down_proj": (EXPERTS, D, M)}
        experts = {
            f"{block.format(i)}experts.{n}": dims for i in range(N) for n, dims in pairs.items()
        }
        routers = {block.format(i) + "gate.weight": (EXPERTS, D) for i in range(N)}
        return {**attention, **experts, **routers}
    block = "model.layers.{}.block_sparse_moe."
    every = product(range(N), range(EXPERTS), sizes.items())
    experts = {f"{block.format(i)}experts.{e}.{n}.weight": dims for i, e, (n, dims) in every}
    routers = {block.format(i) + "gate.weight": (EXPERTS, D) for i in range(N)}
    return {**attention, **experts, **routers}


def both(names: Shapes) -> Shapes:
    """A weight and a bias of every module; a matrix has a bias of its rows."""
    weights = {f"{name}.weight": dims for name, dims in names.items()}
    return weights | {f"{name}.bias": dims[:1] for name, dims in names.items()}


def gpt2(prefix: str) -> Shapes:
    """OpenAI's GPT-2, Conv1D, with its mask."""
    inner = {
        "attn.c_attn": (D, 3 * D),
        "attn.c_proj": (D, D),
        "mlp.c_fc": (D, 4 * D),
        "mlp.c_proj": (4 * D, D),
    }
    names: Shapes = {}
    for i, (name, dims) in product(range(N), inner.items()):
        names |= {f"h.{i}.{name}.weight": dims, f"h.{i}.{name}.bias": dims[1:]}
    for name in ["ln_f"] + [f"h.{i}.{n}" for i in range(N) for n in ("ln_1", "ln_2")]:
        names |= {f"{name}.weight": (D,), f"{name}.bias": (D,)}
    masks = {f"h.{i}.attn.bias": (1, 1, V, V) for i in range(N)}
    tables = {"wte.weight": (V, D), "wpe.weight": (V, D)}
    return {prefix + name: dims for name, dims in {**names, **masks, **tables}.items()}


def bert(prefix: str) -> Shapes:
    """A BERT with its pooler."""
    inner = {
        "attention.self.query": (D, D),
        "attention.self.key": (D, D),
        "attention.self.value": (D, D),
        "attention.output.dense": (D, D),
        "attention.output.LayerNorm": (D,),
        "intermediate.dense": (M, D),
        "output.dense": (D, M),
        "output.LayerNorm": (D,),
    }
    layers = {
        f"encoder.layer.{i}.{name}": dims for i, (name, dims) in product(range(N), inner.items())
    }
    names = both({**layers, "embeddings.LayerNorm": (D,), "pooler.dense": (D, D)})
    tables = ("word_embeddings", "token_type_embeddings", "position_embeddings")
    names |= {f"embeddings.{name}.weight": (V, D) for name in tables}
    return {
        prefix + name: dims for name, dims in {**names, "embeddings.position_ids": (1, V)}.items()
    }


def batch_norm(name: str, size: int) -> Shapes:
    """Weight, bias and running statistics."""
    own = {f"{name}.{last}": (size,) for last in ("weight", "bias", "running_mean", "running_var")}
    return own | {f"{name}.num_batches_tracked": ()}


def resnet(spelling: str) -> Shapes:
    """A ResNet of 2, 1, 1 and 1 bottlenecks, in the names of torchvision and transformers."""
    hf = spelling == "hf"
    stem = "resnet.embedder.embedder" if hf else ""
    conv, norm = ("convolution", "normalization") if hf else ("conv1", "bn1")
    names = {".".join(filter(None, (stem, conv, "weight"))): (4, 3, 7, 7)}
    names |= batch_norm(".".join(filter(None, (stem, norm))), 4)
    for stage, blocks in enumerate((2, 1, 1, 1)):
        for block in range(blocks):
            here = (
                f"resnet.encoder.stages.{stage}.layers.{block}"
                if hf
                else f"layer{stage + 1}.{block}"
            )
            for i, kernel in enumerate((1, 3, 1)):
                pair = (
                    (f"layer.{i}.convolution", f"layer.{i}.normalization")
                    if hf
                    else (f"conv{i + 1}", f"bn{i + 1}")
                )
                names |= {
                    f"{here}.{pair[0]}.weight": (4, 4, kernel, kernel),
                    **batch_norm(f"{here}.{pair[1]}", 4),
                }
            if block == 0:
                pair = (
                    ("shortcut.convolution", "shortcut.normalization")
                    if hf
                    else ("downsample.0", "downsample.1")
                )
                names |= {
                    f"{here}.{pair[0]}.weight": (4, 4, 1, 1),
                    **batch_norm(f"{here}.{pair[1]}", 4),
                }
    return names | both({"classifier.1" if hf else "fc": (10, 4)})


def cifar() -> Shapes:
    """The ResNet-20 for CIFAR-10 as DataParallel stores it."""
    names = {"conv1.weight": (16, 3, 3, 3), **batch_norm("bn1", 16), **both({"linear": (10, 64)})}
    for stage, block, i in product((1, 2, 3), range(3), (1, 2)):
        here = f"layer{stage}.{block}"
        names |= {f"{here}.conv{i}.weight": (16, 16, 3, 3), **batch_norm(f"{here}.bn{i}", 16)}
    return {f"module.{name}": dims for name, dims in names.items()}


CONVNEXT = {
    "original": {
        "stem": ("downsample_layers.0.0", "downsample_layers.0.1"),
        "down": ("downsample_layers.{}.0", "downsample_layers.{}.1"),
        "block": ("stages.{}.{}.", "dwconv", "norm", "pwconv1", "pwconv2", "gamma"),
        "head": ("norm", "head"),
    },
    "timm": {
        "stem": ("stem.0", "stem.1"),
        "down": ("stages.{}.downsample.0", "stages.{}.downsample.1"),
        "block": ("stages.{}.blocks.{}.", "conv_dw", "norm", "mlp.fc1", "mlp.fc2", "gamma"),
        "head": ("head.norm", "head.fc"),
    },
    "hf": {
        "stem": ("convnext.embeddings.patch_embeddings", "convnext.embeddings.layernorm"),
        "down": (
            "convnext.encoder.stages.{}.downsampling_layer.0",
            "convnext.encoder.stages.{}.downsampling_layer.1",
        ),
        "block": (
            "convnext.encoder.stages.{}.layers.{}.",
            "dwconv",
            "layernorm",
            "pwconv1",
            "pwconv2",
            "layer_scale_parameter",
        ),
        "head": ("convnext.layernorm", "classifier"),
    },
}


def convnext(spelling: str) -> Shapes:
    """A ConvNeXt of 4 stages of 2 blocks, as its authors, timm and transformers name it."""
    words = CONVNEXT[spelling]
    stem, stem_norm = words["stem"]
    last_norm, head = words["head"]
    modules: Shapes = {stem: (D, 3, 4, 4), stem_norm: (D,), last_norm: (D,), head: (10, D)}
    for stage in (1, 2, 3):
        norm, conv = (name.format(stage) for name in words["down"])
        modules |= {norm: (D,), conv: (D, D, 2, 2)}
    scales: Shapes = {}
    for stage, block in product(range(4), range(2)):
        at, depthwise, norm, up, down, scale = words["block"]
        here = at.format(stage, block)
        modules |= {f"{here}{depthwise}": (D, 1, 7, 7), f"{here}{norm}": (D,)}
        modules |= {f"{here}{up}": (M, D), f"{here}{down}": (D, M)}
        scales[f"{here}{scale}"] = (D,)
    return both(modules) | scales
