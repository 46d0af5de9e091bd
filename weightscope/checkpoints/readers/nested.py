"""Which tensors of a training file are the model: the largest dict of tensors, unless the user names another.

Optimizer state, averaged copies of the weights and whatever lies outside the chosen dict keep their full dotted
names and are listed, never measured. A tie between two dicts is a question for the user, not a guess.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from ...errors import CheckpointError, UsageError
from ...escape import listed, shown
from .. import limits
from .keys import name_of
from .torch_values import Found

SHARED = 16  # times that an item may be met, on average: containers may be shared
FEW = 10_000  # items that may be met in any case
WORD = 128  # characters of a key that may tell of an optimizer or an average
OPTIMIZER = re.compile(
    r"(?i)(.*_)?optim(s|izers?)?(_.*)?|opt(_.*)?|(.*_)?(grad_scaler|lr_schedulers?)(_.*)?"
)
AVERAGED = re.compile(r"(?i)(.*_)?ema(_.*)?|(.*_)?swa(_.*)?|shadow(_.*)?|(.*_)?averaged(_.*)?")
COPY = re.compile(r"(?i)(model_)?ema(_model)?")  # the first part of a name in a flat dict
STATE = {
    "exp_avg",
    "exp_avg_sq",
    "max_exp_avg_sq",
    "momentum_buffer",
    "square_avg",
    "grad_avg",
    "acc_delta",
    "exp_inf",
    "exp_avg_sq_row",
    "exp_avg_sq_col",
    "exp_avg_diff",
}  # what torch's optimizers keep
CONTAINERS = (dict, list, tuple)
Path = tuple[str, ...]
Node = tuple[
    Path, bool, bool, object
]  # path, whether a key is no text, whether in an optimizer, value


def _averages(key: str) -> bool:
    return len(key) <= WORD and bool(AVERAGED.fullmatch(key))


def _optimizes(key: str) -> bool:
    return len(key) <= WORD and bool(OPTIMIZER.fullmatch(key))


@dataclass(frozen=True, slots=True)
class Leaf:
    """A tensor and the keys that lead to it; `odd` where one of them is no text, `state` inside an optimizer."""

    path: Path
    odd: bool
    state: bool
    found: Found

    def aside(self, depth: int = 0) -> bool:
        """Optimizer state or an averaged copy, by the keys below `depth` or by how its own name starts or ends."""
        above, own = self.path[depth:-1], "".join(self.path[-1:])
        first, _, rest = own.partition(".")
        return (
            self.optimizer(depth)
            or any(map(_averages, above))
            or bool(rest and COPY.fullmatch(first))
        )

    def optimizer(self, depth: int = 0) -> bool:
        """Optimizer state."""
        last = "".join(self.path[-1:]).rpartition(".")[2]
        return self.state or last in STATE or any(map(_optimizes, self.path[depth:-1]))


@dataclass(frozen=True)
class Choice:
    """The model's tensors by their names inside their dict, the others by their full names."""

    model: tuple[tuple[str, Found], ...]
    others: tuple[tuple[str, Found], ...]
    notes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def choose(tree: object, root: str | None = None) -> Choice:
    """The model of a pickled tree; `root` is the dotted path of the dict to take instead of the largest."""
    leaves = tuple(_leaves(tree))
    if not leaves:
        raise CheckpointError(
            "expected tensors", "no tensors in the file", "name a file that holds a state dict"
        )
    prefix = _largest(leaves) if root is None else _named(leaves, root)
    inside = [leaf for leaf in leaves if leaf.path[: len(prefix)] == prefix]
    model = [leaf for leaf in inside if not leaf.aside(len(prefix))] or inside
    chosen = set(map(id, model))
    others = [leaf for leaf in leaves if id(leaf) not in chosen]
    named = tuple((".".join(leaf.path[len(prefix) :] or ("tensor",)), leaf.found) for leaf in model)
    taken = {name for name, _ in named}
    rest = tuple((_outside(leaf.path, taken), leaf.found) for leaf in others)
    _unique([name for name, _ in named + rest])
    odd = sum(leaf.odd for leaf in model)
    return Choice(
        named,
        rest,
        _notes(prefix, named, others, root),
        (f"{odd} tensors under keys that are no text, shown as text",) if odd else (),
    )


def _leaves(tree: object) -> Iterator[Leaf]:
    """Every tensor of a tree of dicts, lists and tuples, depth first, in stored order.

    What holds no tensor is looked at once: histories and vocabularies may be shared by thousands.
    """
    bearing = _bearing(tree)
    met = stored = count = 0
    counted: set[int] = set()
    levels: list[Iterator[Node]] = [iter((((), False, False, tree),))]
    while levels:
        node = next(levels[-1], None)
        if node is None:
            levels.pop()
        elif isinstance(node[3], Found):
            count += 1
            _short(node[0])
            yield Leaf(*node[:3], node[3])
        elif isinstance(node[3], CONTAINERS) and id(node[3]) in bearing:
            met += len(node[3])
            stored += len(node[3]) if id(node[3]) not in counted else 0
            counted.add(id(node[3]))
            levels.append(_parts(*node))
        if met > FEW + SHARED * stored:
            raise CheckpointError(
                "expected dicts and lists that stand in few others",
                f"found {stored} items that are met "
                f"more than {met} times, as some hold each other again and again",
                "the file is forged; save the state dict alone",
            )
        if count > limits.TENSORS or len(levels) > limits.DEPTH:
            raise CheckpointError(
                f"expected at most {limits.TENSORS} tensors and {limits.DEPTH} levels",
                "found more",
                "save the state dict alone",
            )


def _bearing(tree: object) -> set[int]:
    """The ids of the containers that hold a tensor at any depth; each container is entered once."""
    holders: dict[int, list[int]] = {}
    direct: list[int] = []
    entered = {id(tree)}
    left = [tree]
    while left:
        container = left.pop()
        for part in _items(container):
            if isinstance(part, Found):
                direct.append(id(container))
            elif isinstance(part, CONTAINERS):
                holders.setdefault(id(part), []).append(id(container))
                if id(part) not in entered:
                    entered.add(id(part))
                    left.append(part)
    return _upwards(direct, holders)


def _upwards(direct: list[int], holders: dict[int, list[int]]) -> set[int]:
    """Everything from which one of `direct` is reached."""
    found: set[int] = set()
    left = list(direct)
    while left:
        container = left.pop()
        if container not in found:
            found.add(container)
            left += holders.get(container, ())
    return found


def _items(container: object) -> Iterable[object]:
    if isinstance(container, dict):
        return container.values()
    return container if isinstance(container, (list, tuple)) else ()


def _parts(path: Path, odd: bool, state: bool, value: object) -> Iterator[Node]:
    """What a container holds, under the path that leads there; positions in a list are proper names."""
    if isinstance(value, dict):
        state = state or {"state", "param_groups"} <= value.keys()
        yield from (
            ((*path, _text(key)), odd or not isinstance(key, str), state, part)
            for key, part in value.items()
        )
    elif isinstance(value, (list, tuple)):
        yield from (((*path, str(index)), odd, state, part) for index, part in enumerate(value))


def _text(key: object) -> str:
    text = name_of(key)
    _short((text,))
    return text


def _short(path: Path) -> None:
    """Refuse a name that is too long, before it is put together."""
    length = sum(map(len, path)) + len(path) - 1
    if length > limits.NAME:
        raise CheckpointError(
            f"expected names of at most {limits.NAME} characters",
            f"found {length}",
            "the file is forged",
        )


def _largest(leaves: tuple[Leaf, ...]) -> Path:
    """The path of the container whose own tensors have the most elements."""
    kept = [leaf for leaf in leaves if not leaf.aside()] or [
        leaf for leaf in leaves if not leaf.optimizer()
    ]
    if not kept:
        raise CheckpointError(
            "expected the weights of a model",
            "found optimizer state only, no tensors of a model",
            "name the file that holds the state dict",
        )
    sizes: dict[Path, int] = defaultdict(int)
    for leaf in kept:
        sizes[leaf.path[:-1]] += leaf.found.params
    most = max(sizes.values())
    tied = [path for path, size in sizes.items() if size == most]
    if len(tied) > 1:
        raise UsageError(
            "expected one largest dict of tensors",
            f"found {len(tied)} of {most:,} parameters: " + ", ".join(map(_dotted, tied[:8])),
            f"choose one, as in --root {_dotted(tied[0])}",
        )
    return tied[0]


def _named(leaves: tuple[Leaf, ...], root: str) -> Path:
    """The container whose dotted path is `root`."""
    known = {
        ".".join(leaf.path[:cut]): leaf.path[:cut]
        for leaf in leaves
        for cut in range(1, len(leaf.path))
    }
    if root not in known:
        raise UsageError(
            f"expected --root to name one of the {len(known)} dicts that hold tensors",
            f"found {shown(root)}",
            _instead(root, list(known)[:10_000]),
        )
    return known[root]


def _instead(root: str, known: list[str]) -> str:
    """The dict that was meant, where one is nearly spelled so; else those there are, outer ones first."""
    if near := get_close_matches(root, known, 1):
        return f"did you mean {shown(near[0])}?"
    outer = sorted(known, key=lambda name: name.count("."))
    return f"there are {listed(outer)}" if known else "leave --root out"


def _dotted(path: Path) -> str:
    return shown(".".join(path)) or "(top)"


def _outside(path: Path, taken: set[str]) -> str:
    """The full name; it begins with a dot where the model has a tensor of that name."""
    name = ".".join(path)
    return f".{name}" if name in taken else name


def _unique(names: list[str]) -> None:
    if len(set(names)) != len(names):
        seen: set[str] = set()
        twice = next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise CheckpointError(
            "expected one tensor per name",
            f"found two named {shown(twice)}",
            "save it with unique keys",
        )


def _notes(
    prefix: Path, model: tuple[tuple[str, Found], ...], others: list[Leaf], root: str | None
) -> tuple[str, ...]:
    """What was chosen, where there was a choice."""
    if not prefix and not others:
        return ()
    why = (
        "as --root asks"
        if root is not None
        else "the largest dict of tensors (--root chooses another)"
    )
    first = f"the model is {_dotted(prefix)}: {len(model)} tensors, {why}"
    tops = sorted({_dotted(leaf.path[:-1]) for leaf in others})
    more = f"{', '.join(tops[:4])}{', ...' if len(tops) > 4 else ''}"
    return (first, f"listed, not measured: {len(others)} tensors in {more}") if others else (first,)
