"""Spellings of LoRA factors, stated once: names get the roles lora.a and lora.b by them, and
tensors become pairs.

A factor is called by the module that it adapts, a word for its side, and at times the name of its
adapter. What has the ending `.weight` is a linear layer, A (r, in) and B (out, r). A factor
without that ending is a bare parameter, which libraries store either way: PEFT's embeddings,
microsoft/LoRA and AdaLoRA as a layer, MLX and mflux as (in, r) and (r, out).
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Spelling:
    """What follows the module in the names of A and B; `form` is what may follow these words."""

    a: str
    b: str
    form: str  # layer | bare | embedding | numbered


SPELLINGS = (
    Spelling(".lora_A", ".lora_B", "layer"),  # PEFT
    Spelling(".lora_a", ".lora_b", "layer"),  # torchtune
    Spelling(".lora.down", ".lora.up", "layer"),  # diffusers
    Spelling("_lora.down", "_lora.up", "layer"),
    Spelling(".lora_linear_layer.down", ".lora_linear_layer.up", "layer"),
    Spelling(".lora_down", ".lora_up", "layer"),  # kohya
    Spelling("_lora_down", "_lora_up", "layer"),
    Spelling(".lora_embedding_A", ".lora_embedding_B", "embedding"),  # PEFT, of nn.Embedding
    Spelling(".lora_A", ".lora_B", "bare"),  # microsoft/LoRA, AdaLoRA, mflux
    Spelling(".lora_a", ".lora_b", "bare"),  # MLX
    Spelling(":down", ":up", "numbered"),  # cloneofsimo: unet:12:down
)
ADAPTER = r"(?:\.[^.:]+)?"  # its name in a model that may hold several: `.default`
TAILS = {
    "layer": rf"{ADAPTER}\.weight",
    "embedding": rf"{ADAPTER}(?:\.weight)?",
    "bare": rf"(?!\.weight|\.bias){ADAPTER}",
    "numbered": "",
}
_NUMBER = r"\w+:\d{1,6}"  # the network, and which of its layers


@dataclass(frozen=True)
class Factor:
    """One half of a pair by its name."""

    module: str
    is_a: bool
    partner: str  # the name that the other half must have
    tail: str  # what follows the word: "", ".weight", ".default.weight"
    spelling: Spelling

    @property
    def adapter(self) -> str:
        """The name of the adapter, "" without one and for PEFT's `default`."""
        name = self.tail.removesuffix(".weight").removeprefix(".")
        return "" if name == "default" else name


def factor(name: str) -> Factor | None:
    """The module, the side and the partner of a name that is a factor's; None for any other.

    >>> factor("h.0.q.lora_A.default.weight").partner
    'h.0.q.lora_B.default.weight'
    >>> factor("h.0.q.weight")
    """
    if "lora" not in name and ":" not in name:
        return None
    for spelling in SPELLINGS:
        for own, other in ((spelling.a, spelling.b), (spelling.b, spelling.a)):
            module, seen, tail = name.rpartition(own)
            if seen and module and _ends(module, tail, spelling.form):
                return Factor(module, own == spelling.a, f"{module}{other}{tail}", tail, spelling)
    return None


def _ends(module: str, tail: str, form: str) -> bool:
    if form == "numbered" and not re.fullmatch(_NUMBER, module.rpartition(".")[2]):
        return False
    return re.fullmatch(TAILS[form], tail) is not None


def _side(words: list[tuple[str, str]]) -> str:
    """The regular expression of one side, without the module; its group `what` tells a bias."""
    layers = "|".join(_body(word) for word, form in words if form == "layer")
    others = "|".join(
        f"{_body(word, form)}{TAILS[form]}" for word, form in words if form != "layer"
    )
    return rf"(?:(?:{layers}){ADAPTER}\.(?P<what>weight|bias)|{others})"


def _body(word: str, form: str = "layer") -> str:
    if form == "numbered":
        return _NUMBER + re.escape(word)
    start = "" if word.startswith(".") else r"\w+"
    return start + re.escape(word.removeprefix("."))


SHORT = {  # what stands for the two sides in rules of names
    "<A>": _side([(spelling.a, spelling.form) for spelling in SPELLINGS]),
    "<B>": _side([(spelling.b, spelling.form) for spelling in SPELLINGS]),
}
