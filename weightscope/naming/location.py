"""Position of a name in depth: tower, stage and number; layers and stacks of a whole file.

A rule may capture `layer` and `stage`, else the usual containers are searched for. The layer index
of a network in stages counts the blocks of the stages before it; stages whose blocks are bare
numbers are recognised by their modules (nested.py). A tower becomes the `stack` only
if a file has several. In a file without the usual containers, other numbered containers give the
layers (numbered.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from sys import intern

_STAGED = re.compile(
    r"(?:(?:^|(?<=\.))(?:stages|layers)\.(?P<a>\d{1,6})\.(?:blocks|layers)\.(?P<b>\d{1,6})(?=\.)"
    r"|(?:^|(?<=\.))stages\.(?P<g>\d{1,6})\.(?P<h>\d{1,6})(?=\.)"
    r"|(?:^|(?<=\.))layer(?P<c>[1-9])\.(?P<d>\d{1,6})(?=\.)"
    r"|(?:^|(?<=\.))(?:block|stage|res)(?P<i>[1-9])\.(?P<j>\d{1,6})(?=\.[^.]+\.)"
    r"|(?:^|(?<=\.))(?P<k>input_blocks|middle_block|output_blocks)\.(?P<l>\d{1,6})(?:\.\d{1,6})?(?=\.)"
    r"|(?:^|(?<=\.))(?P<e>down_blocks\.\d{1,6}|mid_block|up_blocks\.\d{1,6})\.[a-z]+\.(?P<f>\d{1,6})(?=\.))"
)
_LAYER = re.compile(
    r"(?:^|(?<=\.))(?:layers?|h|blocks?|blk|resblocks|encoder_blocks|transformer_blocks|single_transformer_blocks"
    r"|double_blocks|single_blocks|conv_layers|albert_layer_groups|base_net|features|extras"
    r"|classification_headers|regression_headers)\.(?:encoder_layer_)?(?P<n>\d{1,6})(?=\.)"
)
_NUMBER = re.compile(r"\d\.")  # both patterns need one; most of the time it is found at once
_PAIRS = (("a", "b"), ("c", "d"), ("e", "f"), ("g", "h"), ("i", "j"), ("k", "l"))
_RANKS = {
    "down_blocks": 0,
    "mid_block": 1,
    "up_blocks": 2,
    "input_blocks": 0,
    "middle_block": 1,
    "output_blocks": 2,
}


@dataclass(frozen=True, slots=True)
class Where:
    """Tower (the words before the number), stage and number of a name; no number outside."""

    tower: str = ""
    stage: str = ""
    number: int | None = None
    rest: str = field(default="", compare=False)  # the name below its number


NOWHERE = Where()


def has_stages(name: str) -> bool:
    """Whether a name has the words and numbers of stages: equal for names that differ in numbers.

    >>> has_stages("stages.10.blocks.10.norm"), has_stages("layers.10.norm")
    (True, False)
    """
    return _NUMBER.search(name) is not None and _STAGED.search(name) is not None


def locate(name: str, match: re.Match[str] | None, may_have_stages: bool = True) -> Where:
    """The position of a name, by the groups of its rule if there are any.

    `may_have_stages`: False where a name of the same spelling has none, which saves a search.

    >>> locate("model.layers.12.mlp.up_proj.weight", None)
    Where(tower='model.layers', stage='', number=12, rest='mlp.up_proj.weight')
    """
    if match and "layer" in match.re.groupindex and is_number(match["layer"]):
        return _captured(name, match, may_have_stages)
    if not _NUMBER.search(name):
        return NOWHERE
    found = _LAYER.search(name)
    usual = NOWHERE
    if found:
        tower = intern(name[: found.start("n")].rstrip("."))
        usual = Where(tower, "", int(found["n"]), _below(name, found.end("n")))
    staged = _staged(name) if may_have_stages else None
    return staged or usual


def _captured(name: str, match: re.Match[str], may_have_stages: bool) -> Where:
    """The position that the groups of a rule capture."""
    staged = match.re.groupindex.get("stage") and match["stage"]
    if staged:
        first = match.start("stage")
    else:
        first = match.start("layer")
    before = name[:first]
    if not staged and not before.endswith(
        "."
    ):  # the number ends a word: `encoder_layer_3`, `weight_ih_l0`
        before = before.rpartition(".")[0]
    tower = intern(_tower(before, staged or ""))
    own = Where(tower, staged or "", int(match["layer"]), _below(name, match.end("layer")))
    if staged or not may_have_stages:
        return own
    return _staged(name) or own


def _below(name: str, end: int) -> str:
    return name[end:].lstrip(".")


def is_number(text: str | None) -> bool:
    """Whether a text can be the number of a layer: a user's rule may capture anything."""
    if text is None or len(text) > 6:
        return False
    return text.isdecimal()


def _staged(name: str) -> Where | None:
    if not (match := _STAGED.search(name)):
        return None
    outer, inner = next((s, n) for s, n in _PAIRS if match[s])
    stage, number = match[outer], int(match[inner])
    rest = _below(name, match.end())
    if not stage.isdigit():  # a stage of the UNet numbers several lists: `resnets`, `attentions`
        rest = name[match.end(outer) + 1 : match.start(inner)] + rest
    return Where(_tower(name[: match.start(outer)], stage), stage, number, rest)


def _tower(before: str, stage: str) -> str:
    """The words before a stage, with the dot if the stage has a container (`down_blocks.0`)."""
    if not stage or stage.isdigit():
        return before.rstrip(".")
    return before


def layers(places: Iterable[Where]) -> dict[Where, int]:
    """The layer index of every place in depth: blocks of the stages before it, plus its own number.

    In a tower with stages a number outside of them is that of a stage, not of a layer:
    `layers.0.downsample` of a Swin.
    """
    sizes: dict[str, dict[str, int]] = {}
    numbered = {w for w in places if w.number is not None}
    for where in numbered:
        stages = sizes.setdefault(where.tower, {})
        stages[where.stage] = max(stages.get(where.stage, 0), (where.number or 0) + 1)
    offsets = {tower: _offsets(_staged_only(stages)) for tower, stages in sizes.items()}
    return {
        w: offsets[w.tower][w.stage] + (w.number or 0)
        for w in numbered
        if w.stage in offsets[w.tower]
    }


def _staged_only(stages: Mapping[str, int]) -> Mapping[str, int]:
    named = {stage: size for stage, size in stages.items() if stage}
    return named or stages


def _offsets(stages: Mapping[str, int]) -> dict[str, int]:
    order = sorted(
        stages, key=lambda stage: (_depth(stage), stage)
    )  # equally deep ones in no order of hashes
    before = accumulate((stages[stage] for stage in order), initial=0)
    return dict(zip(order, before, strict=False))


def _depth(stage: str) -> tuple[int, int]:
    word, _, number = stage.rpartition(".")  # down, then mid, then up; `layer1` before `layer2`
    word = word or stage
    return _RANKS.get(word, 0), int(number) if number.isdecimal() and len(number) <= 6 else 0


def stacks(towers: Iterable[str]) -> dict[str, str]:
    """The name of each tower: "" if there is one, else the first word that differs.

    >>> stacks(["text_model.encoder.layers", "vision_model.encoder.layers"])
    {'text_model.encoder.layers': 'text_model', 'vision_model.encoder.layers': 'vision_model'}
    """
    known = sorted(set(towers))
    if len(known) < 2:
        return dict.fromkeys(known, "")
    parents = [t.rpartition(".")[0] for t in known]
    words = [
        t.split(".") if t else [] for t in (parents if len(set(parents)) == len(known) else known)
    ]
    common = _common(words)
    short = [w[common] if len(w) > common else "" for w in words]
    distinct = len(set(short)) == len(known)
    return {
        t: s if distinct else ".".join(w[common:])
        for t, s, w in zip(known, short, words, strict=True)
    }


def _common(words: list[list[str]]) -> int:
    """How many words all paths begin with."""
    for i, column in enumerate(zip(*words, strict=False)):
        if len(set(column)) > 1:
            return i
    return min(map(len, words))


def beginnings(towers: Mapping[str, str]) -> dict[str, tuple[int, str]]:
    """First words of the names of each tower, up to its stack, with the tower and the stack.

    >>> beginnings({"model.text.layers": "text"})
    {'model.text.': (0, 'text')}
    """
    found: dict[str, tuple[int, str]] = {}
    for number, (tower, stack) in enumerate(towers.items()):
        at = -1
        if stack:
            at = f".{tower}.".find(f".{stack}.")
        if at >= 0:
            found.setdefault(f"{tower}."[:at] + stack + ".", (number, stack))
    return found


def stack_of(name: str, begins: Mapping[str, tuple[int, str]], longest: int) -> str:
    """The stack of a name outside the layers: of the first tower with whose words it begins."""
    dotted = f"{name}."
    towers = []
    for i, letter in enumerate(dotted[:longest]):
        tower = None
        if letter == ".":
            tower = begins.get(dotted[: i + 1])
        if tower is not None:
            towers.append(tower)
    return min(towers, default=(0, ""))[1]
