"""The sentence of a search: which rules made B from A, or which were tried in vain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from ....escape import escaped
from ....statistics.lineage import TOO_MANY, combined_p, ranges
from ...layer_names import layers_named
from ..facts import Facts
from ..options import CompareOptions
from ..pair import Pair
from .experts import Origin
from .layers import MOST as MOST_LAYERS
from .layers import Stack
from .neurons import Matched
from .routers import Router
from .search import Lineage
from .ties import Tie

MOST = 3  # rules of one kind
TIMES = ", times "  # before the factor of a slice
TRIED = ("layers", "stride", "linspace", "first", "corner", "channels", "experts", "tied")
ON_REQUEST = ("permuted", "rotated")  # of every matrix with --lineage alone


def sentence(found: Lineage, facts: Sequence[Facts], o: CompareOptions) -> str:
    """What was found, in one sentence."""
    parts = [
        *_layers(found.stacks),
        *_slices(found, facts),
        *_neurons(found.neurons),
        *_experts(found.origins),
        *_routers(found.routers),
        *_ties(found.ties),
        *_rotated(facts),
    ]
    if not parts:
        parts = [_nothing(found, o)]
    parts += _skipped(found)
    if not any(f.is_rotated for f in facts):  # rotated neurons have no partners
        parts += _independence(found.neurons)
    return "; ".join(parts)


def _layers(stacks: Sequence[Stack]) -> Iterator[str]:
    """`8 of 8 layers are layers 0-3,2-5 of A`, where these are not all in order."""
    for stack in stacks:
        if not stack.found or stack.is_identity:
            continue
        where = f" of {escaped(stack.name)}" if stack.name else ""
        count = f"{len(stack.found)} of {len(stack.layers)} layers{where}"
        yield f"{count} are layers {ranges(list(stack.found.values()))} of A"


def _slices(found: Lineage, facts: Sequence[Facts]) -> Iterator[str]:
    """`rows and columns by linspace 2/3 in 36 of 36 matrices (cosine 0.29 to 0.34, ...)`."""
    names = {_names(one.pair) for one in found.slices}
    by_rule: dict[str, list[Facts]] = {}
    for f in facts:
        if _names(f.pair) in names and f.rule and f.pair.least is not None:
            by_rule.setdefault(_own(f.rule), []).append(f)
    ordered = sorted(by_rule.items(), key=lambda entry: -len(entry[1]))
    for rule, members in ordered[:MOST]:
        what = f"{rule}{_factors(members)}"
        yield f"{what} in {len(members)} of {_matrices(len(names))} ({_cosines(members)})"
    if len(ordered) > MOST:
        yield f"{len(ordered) - MOST} other slices"


def _names(pair: Pair) -> tuple[str, str]:
    """The names of both sides."""
    return pair.name, pair.other_name or pair.name


def _own(rule: str) -> str:
    """A rule without the layers in front, without ties and without its factor."""
    parts = [part for part in rule.split("; ") if not part.startswith(("layers ", "tied "))]
    return "; ".join(parts).partition(TIMES)[0]


def _factors(members: Sequence[Facts]) -> str:
    """`, times 1.414 to 1.415`; "" where no member has a factor."""
    factors = [f.rule.partition(TIMES)[2].partition(";")[0] for f in members if TIMES in f.rule]
    if not factors:
        return ""
    least, most = min(factors, key=float), max(factors, key=float)
    between = least if least == most else f"{least} to {most}"
    return f"{TIMES}{between}"


def _matrices(count: int) -> str:
    return "1 matrix" if count == 1 else f"{count} matrices"


def _cosines(members: Sequence[Facts]) -> str:
    """The cosines of a rule, and the largest of a rule that was not chosen."""
    cosines = [f.cosine for f in members if f.cosine is not None]
    known = [f.pair.found.get("matched_cosine_null") for f in members]
    others = [value for value in known if isinstance(value, float)]
    text = f"cosine {_between(cosines)}"
    if others:
        text += f", next rule at most {max(others):.2f}"
    return text


def _between(values: Sequence[float]) -> str:
    """`0.29 to 0.34`, one number where both are equal as printed."""
    least, most = f"{min(values):.2f}", f"{max(values):.2f}"
    return least if least == most else f"{least} to {most}"


def _neurons(neurons: Sequence[Matched]) -> Iterator[str]:
    """`99.6% of neurons matched (cosine 0.393, null 0.193)`."""
    permuted = [one.found for one in neurons if one.found is not None and one.found.permuted]
    if not permuted:
        return
    share = fmean(found.share for found in permuted)
    cosine = fmean(found.cosine for found in permuted)
    null = fmean(found.null for found in permuted)
    where = f"{len(permuted)} of {len(neurons)} feed-forward layers permuted"
    yield f"{where}: {share:.1%} of neurons matched (cosine {cosine:.3f}, null {null:.3f})"


def _experts(origins: Sequence[Origin]) -> Iterator[str]:
    """`experts of layers 0-5 are copies of the dense layers of A (cosine 0.50)`."""
    by_rule: dict[tuple[bool, int], list[Origin]] = {}
    for origin in origins:
        by_rule.setdefault((origin.is_from_dense, origin.rule.granularity), []).append(origin)
    for (is_from_dense, granularity), members in by_rule.items():
        layers = {layer for origin in members for layer in [origin.bank.layer] if layer is not None}
        where = f"experts of {layers_named(layers)}" if layers else "experts"
        cosine = fmean(origin.rule.cosine for origin in members)
        if not is_from_dense:
            what = "are equal" if granularity == 1 else f"are equal modulo {granularity}"
        elif granularity == 1:
            what = "are copies of the dense layers of A"
        else:
            what = f"are shards of the dense layers of A, modulo {granularity}"
        yield f"{where} {what} (cosine {cosine:.2f})"


def _routers(routers: Sequence[Router]) -> Iterator[str]:
    """`router rows of layers 0-5 are equal modulo 2`."""
    by_granularity: dict[int, set[int]] = {}
    for router in routers:
        layers = by_granularity.setdefault(router.granularity, set())
        if router.piece.place.layer is not None:
            layers.add(router.piece.place.layer)
    for granularity, layers in by_granularity.items():
        where = f"router rows of {layers_named(layers)}" if layers else "router rows"
        yield f"{where} are equal modulo {granularity}"


def _ties(ties: Sequence[Tie]) -> Iterator[str]:
    """`layers 4-7 of B are tied to earlier ones in 6 roles`."""
    for is_equal in (True, False):
        members = [tie for tie in ties if (tie.rank == 0) == is_equal]
        if not members:
            continue
        layers = {tie.later.place.layer for tie in members if tie.later.place.layer is not None}
        verb = "is" if len(layers) == 1 else "are"
        text = f"{layers_named(layers)} of B {verb} tied to earlier ones"
        roles = len({tie.key for tie in members})
        text += f" in {roles} role{'s' * (roles != 1)}"
        if not is_equal:
            text += f" but for a rest of rank {_ranks(members)}"
        yield text


def _ranks(ties: Sequence[Tie]) -> str:
    ranks = [tie.rank for tie in ties]
    if min(ranks) == max(ranks):
        return str(ranks[0])
    return f"{min(ranks)} to {max(ranks)}"


def _rotated(facts: Sequence[Facts]) -> Iterator[str]:
    """`36 of 36 matrices are rotated`."""
    matrices = [f for f in facts if f.is_matrix and f.cosine is not None]
    rotated = [f for f in matrices if f.is_rotated]
    if rotated:
        verb = "is" if len(rotated) == 1 else "are"
        yield f"{len(rotated)} of {_matrices(len(matrices))} {verb} rotated"


def _nothing(found: Lineage, o: CompareOptions) -> str:
    """That everything is in place, or what was tried in vain, and what was not tried."""
    if any(stack.found for stack in found.stacks):
        return "no rule needed: layers, rows and columns of B are in the places of A"
    tried = list(TRIED)
    if o.lineage:
        tried += ON_REQUEST
        return f"no rule found: tried {', '.join(tried)}"
    return f"no rule found: tried {', '.join(tried)}; {', '.join(ON_REQUEST)} with --lineage"


def _skipped(found: Lineage) -> Iterator[str]:
    """Roles with more layers, and layers with more neurons, than are matched."""
    if found.deep:
        roles = len({family.key for family in found.deep})
        yield f"layers of {roles} role{'s' * (roles != 1)} are not matched: more than {MOST_LAYERS}"
    count = len(found.skipped)
    if count:
        layers = "1 feed-forward layer" if count == 1 else f"{count} feed-forward layers"
        yield f"neurons of {layers} are not assigned: more than {TOO_MANY:,}"


def _independence(neurons: Sequence[Matched]) -> Iterator[str]:
    """`independence p 0.43 over 6 layers`, combined by Fisher's method."""
    values = [one.independence.p for one in neurons if one.independence is not None]
    p = combined_p(values)
    if p is not None:
        layers = "1 layer" if len(values) == 1 else f"{len(values)} layers"
        yield f"independence p {p:.2g} over {layers}"
