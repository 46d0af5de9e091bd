"""Spellings of LoRA factors, for the roles lora.a and lora.b of names and for pairs of tensors.

The name of a factor consists of the module that it adapts, a word for its side, and possibly the
name of its adapter. A factor with the ending `.weight` is a linear layer, A (r, in) and B (out, r).
One without is a bare parameter, which libraries store either way: PEFT's embeddings, microsoft/LoRA
and AdaLoRA like a layer, MLX and mflux as (in, r) and (r, out).
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Spelling:
    """The words that follow the module in the names of A and B."""

    a: str
    b: str
    form: str  # layer | bare | embedding | numbered: the possible rest of the name (TAILS)


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
ADAPTER = r"(?:\.[^.:]+)?"  # its name in a model with several: `.default`
TAILS = {
    "layer": rf"{ADAPTER}\.weight",
    "embedding": rf"{ADAPTER}(?:\.weight)?",
    "bare": rf"(?!\.weight|\.bias){ADAPTER}",
    "numbered": "",
}
_NUMBER = r"\w+:\d{1,6}"  # the network, and the number of the layer


@dataclass(frozen=True)
class Factor:
    """One half of a pair by its name."""

    module: str
    is_a: bool
    partner: str  # the name of the other half
    tail: str  # the name after the word: "", ".weight", ".default.weight"
    spelling: Spelling

    @property
    def adapter(self) -> str:
        """The name of the adapter, "" without one and for PEFT's `default`."""
        name = self.tail.removesuffix(".weight").removeprefix(".")
        return "" if name == "default" else name


def factor(name: str) -> Factor | None:
    """The module, the side and the partner of the name of a factor; None for any other name.

    >>> factor("h.0.q.lora_A.default.weight").partner
    'h.0.q.lora_B.default.weight'
    >>> factor("h.0.q.weight")
    """
    if "lora" not in name and ":" not in name:
        return None
    for spelling in SPELLINGS:
        for word, other in ((spelling.a, spelling.b), (spelling.b, spelling.a)):
            module, separator, tail = name.rpartition(word)
            if separator and module and _is_form(module, tail, spelling.form):
                partner = f"{module}{other}{tail}"
                return Factor(module, word == spelling.a, partner, tail, spelling)
    return None


def _is_form(module: str, tail: str, form: str) -> bool:
    """Whether the module and the tail of a name have this form."""
    if form == "numbered":
        _, _, last = module.rpartition(".")
        if not re.fullmatch(_NUMBER, last):
            return False
    return re.fullmatch(TAILS[form], tail) is not None


def _side(words: list[tuple[str, str]]) -> str:
    """The regular expression of one side, without the module; group `what` is weight or bias."""
    bodies = []
    others = []
    for word, form in words:
        if form == "layer":
            bodies.append(_body(word))
        else:
            others.append(_body(word, form) + TAILS[form])
    layer = rf"(?:{'|'.join(bodies)}){ADAPTER}\.(?P<what>weight|bias)"
    return f"(?:{'|'.join((layer, *others))})"


def _body(word: str, form: str = "layer") -> str:
    if form == "numbered":
        return _NUMBER + re.escape(word)
    start = "" if word.startswith(".") else r"\w+"
    return start + re.escape(word.removeprefix("."))


SHORT = {  # abbreviations of the two sides in rules of names
    "<A>": _side([(spelling.a, spelling.form) for spelling in SPELLINGS]),
    "<B>": _side([(spelling.b, spelling.form) for spelling in SPELLINGS]),
}
