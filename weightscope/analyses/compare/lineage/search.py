"""The search for the rule that made B from A: samples first, then one more read of what they find.

Layers are matched by samples of all matrices, experts and slices by samples of the pairs that
follow, neurons by the products of whole matrices. The comparison itself, which reads both models
once, confirms each slice on all elements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ....engine.unit import Measurer
from ...piece import Model, Piece
from ..options import CompareOptions
from ..pair import MATCHING, Pair, joined_rules, pair_of
from ..pairing import on_common_lines
from .assigning import assigned
from .corners import cornered
from .experts import Origin, banks, is_of_bank, origins, shard_of
from .families import Family, families
from .layers import Sampled, Stack, in_layers, is_deep, sampled, stacks_found
from .neurons import Block, Layer, Matched, blocks, matched, skipped
from .permuting import in_one_order
from .routers import Router, equal_routers
from .slicing import Sliced, is_resized, sliced
from .stacks import stacks_of_b
from .ties import Tie, confirmed
from .vectors import followed, maps_of_sets


@dataclass(frozen=True, eq=False)
class Lineage:
    """The pairs under the rules that were found, and what the sentence needs."""

    pairs: Sequence[Pair]
    stacks: Sequence[Stack] = ()
    origins: Sequence[Origin] = ()
    slices: Sequence[Sliced] = ()
    routers: Sequence[Router] = ()
    ties: Sequence[Tie] = ()
    neurons: Sequence[Matched] = ()
    skipped: Sequence[Block] = ()  # too many neurons for an assignment
    deep: Sequence[Family] = ()  # too many layers for a map


def searched(model: Model, pairs: Sequence[Pair], o: CompareOptions, measure: Measurer) -> Lineage:
    """The rules between B and its base A."""
    assert model.base is not None
    configs = model.base.checkpoint.config, model.checkpoint.config
    stack_of = stacks_of_b(pairs)
    every_family = families(pairs, stack_of)
    found = list(sampled(in_layers(every_family), measure))
    stacks = stacks_found(found)
    layers = {stack.name: stack.partners for stack in stacks if stack.found}
    placed = [_with_layers(pair, stacks) for pair in assigned(pairs, stack_of, layers, configs)]
    of_experts = list(origins(banks(placed, stack_of), measure))
    placed = _with_experts(placed, of_experts)
    slices = list(sliced([pair for pair in placed if is_resized(pair)], measure))
    placed = _with_slices(placed, slices, measure)
    chosen = blocks(placed)
    if not o.lineage:
        chosen = _unlike(chosen, found)
    neurons = list(matched(chosen, measure, independent=o.lineage))
    placed = in_one_order(placed, _by_layer(neurons))
    ties = list(confirmed([tie for one in found for tie in one.ties], measure))
    placed = _with_ties(placed, ties)
    routers = list(equal_routers(pairs, measure))
    deep = [family for family in every_family if is_deep(family)]
    return Lineage(
        placed, stacks, of_experts, slices, routers, ties, neurons, skipped(chosen), deep
    )


def _with_layers(pair: Pair, stacks: Sequence[Stack]) -> Pair:
    """The pair with the map of the layers of its stack as its rule, where layers differ."""
    for stack in stacks:
        if pair.a is None or pair.b is None or pair.a.place.layer is None:
            continue
        if pair.a.place.stack == stack.name and stack.found and not stack.is_identity:
            return replace(pair, rule=f"layers {stack.text}")
    return pair


def _with_experts(pairs: Sequence[Pair], found: Sequence[Origin]) -> list[Pair]:
    """Experts beside their part of a dense matrix; without a rule they have no partner."""
    rules = {}
    for origin in found:
        if origin.is_from_dense:
            for piece in origin.bank.experts.values():
                rules[piece] = origin.rule.granularity
    placed = []
    left = {}
    for pair in pairs:
        if not is_of_bank(pair) or pair.a is None or pair.b is None:
            placed.append(pair)
        elif pair.b in rules:
            placed.append(shard_of(pair, rules[pair.b]))
        else:
            placed.append(pair_of(None, pair.b))
            left[pair.a] = pair_of(pair.a, None)
    taken = {pair.a.stored for pair in placed if pair.a is not None}
    placed += [pair for piece, pair in left.items() if piece.stored not in taken]
    return placed


def _with_slices(pairs: Sequence[Pair], found: Sequence[Sliced], measure: Measurer) -> list[Pair]:
    """Matrices on their slices, vectors on those of their index set, tables on common rows."""
    by_pair = dict(zip((one.pair for one in found), cornered(found, measure), strict=True))
    maps = maps_of_sets(found)
    placed = []
    for pair in pairs:
        chosen = by_pair.get(pair, pair)
        if chosen.reshaped and chosen.is_matrix:
            chosen = on_common_lines(chosen)
        elif chosen.reshaped:
            # gains are alike under every map: without the rule of matrices they have none
            chosen = followed(chosen, maps) or chosen
        placed.append(_joined(chosen, pair.rule))
    return placed


def _joined(pair: Pair, before: str) -> Pair:
    """The pair with the rule that it had before in front of its own."""
    own = "" if pair.rule == before else pair.rule
    return replace(pair, rule=joined_rules(before, own))


def _unlike(every: Sequence[Block], found: Sequence[Sampled]) -> list[Block]:
    """The feed-forward layers without a rule of which no matrix is alike in the samples."""
    of_piece: dict[Piece, list[Sampled]] = {}
    for one in found:
        for piece in one.family.a:
            of_piece.setdefault(piece, []).append(one)
    chosen = []
    for block in every:
        has_rule = any(pair.least is not None for pair in block.pairs.values())
        if not has_rule and not _is_alike(block, of_piece):
            chosen.append(block)
    return chosen


def _is_alike(block: Block, of_piece: Mapping[Piece, Sequence[Sampled]]) -> bool:
    for pair in block.pairs.values():
        a, b = pair.both
        for one in of_piece.get(a, ()):
            if b not in one.columns:
                continue
            cosine = one.cosines.values[one.rows[a], one.columns[b]]
            if abs(cosine) >= MATCHING:
                return True
    return False


def _by_layer(neurons: Sequence[Matched]) -> Mapping[Layer, Matched]:
    return {one.layer: one for one in neurons}


def _with_ties(pairs: Sequence[Pair], ties: Sequence[Tie]) -> list[Pair]:
    """Pairs whose B is tied to an earlier layer of B, which their rule says."""
    by_name = {tie.later.name: tie for tie in ties}
    placed = []
    for pair in pairs:
        tie = by_name.get(pair.b.name) if pair.b is not None else None
        if tie is None:
            placed.append(pair)
        else:
            placed.append(replace(pair, rule=joined_rules(pair.rule, tie.text)))
    return placed
