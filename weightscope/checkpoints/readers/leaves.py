"""The tensors of a pickled tree of dicts, lists and tuples, each with the keys that lead to it.

Containers may be shared by thousands of others. Those without a tensor are entered once, and how
often the others are entered is bounded: a file cannot make the walk long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ...errors import CheckpointError
from .. import limits
from .keys import name_of
from .torch_values import Found, Placeholder
from .training_state import is_random_state

_SHARED = 16  # times that an item may be visited, on average: containers may be shared
_FEW = 10_000  # items that may be visited in any case
_WORD = 128  # characters of a key that may name an optimizer or an average
_OPTIMIZER = re.compile(
    r"(?i)(.*_)?optim(s|izers?)?(_.*)?|opt(_.*)?|(.*_)?(grad_scaler|lr_schedulers?)(_.*)?"
)
_AVERAGED = re.compile(r"(?i)(.*_)?ema(_.*)?|(.*_)?swa(_.*)?|shadow(_.*)?|(.*_)?averaged(_.*)?")
_COPY = re.compile(r"(?i)(model_)?ema(_model)?")  # the first part of a name in a flat dict
_STATE = {  # what torch's optimizers keep for each parameter
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
}
_STATE_DICT = {"state", "param_groups"}  # the keys of an optimizer's state dict
_CONTAINERS = (dict, list, tuple)
_HOLDERS = (*_CONTAINERS, Placeholder)  # the last is searched for tensors, never read

Path = tuple[str, ...]


class Node(NamedTuple):
    """A value of the tree and how it is reached."""

    path: Path
    odd: bool  # whether a key of the path is not a string
    state: bool  # whether it is inside an optimizer's state dict
    value: object


@dataclass(frozen=True, slots=True)
class Leaf:
    """A tensor and the keys that lead to it; `odd` and `state` as in Node."""

    path: Path
    odd: bool
    state: bool
    found: Found

    def aside(self, depth: int = 0) -> bool:
        """Whether it is optimizer state or an averaged copy, by the keys below `depth`."""
        if self.optimizer(depth) or any(_matches(_AVERAGED, key) for key in self.path[depth:-1]):
            return True
        name = "".join(self.path[-1:])
        first, _, rest = name.partition(".")
        return bool(rest and _COPY.fullmatch(first))

    @property
    def random(self) -> bool:
        """Whether it is the state of a random number generator."""
        return is_random_state(self.path, self.found)

    def optimizer(self, depth: int = 0) -> bool:
        """Whether it is training state, by the keys below `depth` and the end of its name."""
        name = "".join(self.path[-1:])
        if self.state or self.random or name.rpartition(".")[2] in _STATE:
            return True
        return any(_matches(_OPTIMIZER, key) for key in self.path[depth:-1])


def _matches(pattern: re.Pattern[str], key: str) -> bool:
    if len(key) > _WORD:
        return False
    return pattern.fullmatch(key) is not None


def leaves(tree: object) -> Iterator[Leaf]:
    """Every tensor of a tree, depth first, in stored order; raises CheckpointError."""
    bearers = bearing([tree])
    visited = 0  # items of containers, each time they are visited
    stored = 0  # items of containers, each container once
    tensors = 0
    entered: set[int] = set()
    levels: list[Iterator[Node]] = [iter((Node((), False, False, tree),))]
    while levels:
        node = next(levels[-1], None)
        if node is None:
            levels.pop()
            continue
        value = node.value
        if isinstance(value, Found):
            tensors += 1
            _check_length(node.path)
            yield Leaf(node.path, node.odd, node.state, value)
        elif isinstance(value, _CONTAINERS) and id(value) in bearers:
            visited += len(value)
            if id(value) not in entered:
                stored += len(value)
            entered.add(id(value))
            levels.append(_parts(node))
        _check_counts(visited, stored, tensors, len(levels))


def _check_counts(visited: int, stored: int, tensors: int, levels: int) -> None:
    """Refuse a tree whose containers hold each other again and again, or that is too large."""
    if visited > _FEW + _SHARED * stored:
        raise CheckpointError(
            "expected dicts and lists that are items of few others",
            f"found {stored} items that are visited more than {visited} times, "
            "as some hold each other again and again",
            "the file is forged; save the state dict alone",
        )
    if tensors > limits.TENSORS or levels > limits.DEPTH:
        raise CheckpointError(
            f"expected at most {limits.TENSORS} tensors and {limits.DEPTH} levels",
            "found more",
            "save the state dict alone",
        )


def bearing(roots: Sequence[object]) -> set[int]:
    """The ids of the containers that hold a tensor at any depth; each container is entered once.

    Objects of unknown classes are containers too.
    """
    holders: dict[int, list[int]] = {}  # container -> those that hold it
    direct: list[int] = []
    entered = {id(root) for root in roots}
    pending = list(roots)
    while pending:
        container = pending.pop()
        for item in _items(container):
            if isinstance(item, Found):
                direct.append(id(container))
            elif isinstance(item, _HOLDERS):
                holders.setdefault(id(item), []).append(id(container))
                if id(item) not in entered:
                    entered.add(id(item))
                    pending.append(item)
    return _with_holders(direct, holders)


def _with_holders(direct: list[int], holders: dict[int, list[int]]) -> set[int]:
    """The containers from which one of `direct` is reached."""
    reached: set[int] = set()
    pending = list(direct)
    while pending:
        container = pending.pop()
        if container not in reached:
            reached.add(container)
            pending += holders.get(container, ())
    return reached


def _items(container: object) -> Iterable[object]:
    if isinstance(container, dict):
        return container.values()
    if isinstance(container, (list, tuple)):
        return container
    if isinstance(container, Placeholder):
        return container.parts
    return ()


def _parts(node: Node) -> Iterator[Node]:
    """The items of a container; positions in a list are proper names."""
    value = node.value
    if isinstance(value, dict):
        state = node.state or value.keys() >= _STATE_DICT
        for key, item in value.items():
            odd = node.odd or not isinstance(key, str)
            yield Node((*node.path, _text(key)), odd, state, item)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield Node((*node.path, str(index)), node.odd, node.state, item)


def _text(key: object) -> str:
    text = name_of(key)
    _check_length((text,))
    return text


def _check_length(path: Path) -> None:
    """Refuse a name that is too long, before it is put together."""
    length = sum(len(key) for key in path) + len(path) - 1
    if length > limits.NAME:
        raise CheckpointError(
            f"expected names of at most {limits.NAME} characters",
            f"found {length}",
            "the file is forged",
        )
