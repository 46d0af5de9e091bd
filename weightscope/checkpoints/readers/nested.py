"""The model in a training file: the largest dict of tensors, or the one that --root names.

Optimizer state, averaged copies of the weights and all tensors outside the chosen dict keep
their full dotted names and are listed, never measured. A tie between two dicts is an error that
lists them, not a guess. The tensors of the tree come from leaves.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from ...errors import CheckpointError, NotChosen
from ...escape import listed, shown
from ...notes import Note
from .leaves import Leaf, Path, leaves
from .torch_values import Found
from .training_state import state_without_tensors

RANDOM = Note("optimizer", "state of a random number generator")
_CANDIDATES = 10_000  # dicts among which a misspelled --root is searched

Named = tuple[str, Found]


@dataclass(frozen=True)
class Choice:
    """The model's tensors by their names inside their dict, the others by their full names."""

    model: tuple[Named, ...]
    others: tuple[Named, ...]
    notes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def choose(tree: object, root: str | None = None, listing: bool = False) -> Choice:
    """The model of a pickled tree; `root` is the dotted path of its dict, None the largest.

    A `listing` needs no model: of equal dicts, and of training state alone, it has all tensors.
    """
    tensors = tuple(leaves(tree))
    if not tensors:
        raise _no_tensors(tree)
    if root is None:
        if listing:
            undecided = _undecided(tensors)
            if undecided:
                return _everything(tensors, undecided)
        prefix = _largest(tensors)
    else:
        prefix = _selected(tensors, root)
    model, others = _split(tensors, prefix)
    named_model = tuple((_inner_name(leaf, prefix), leaf.found) for leaf in model)
    names = {name for name, _ in named_model}
    named_others = tuple((_full_name(leaf, names), _noted(leaf)) for leaf in others)
    _check_unique([name for name, _ in named_model + named_others])
    return Choice(
        named_model, named_others, _notes(prefix, len(model), others, root), _flags(model)
    )


def _no_tensors(tree: object) -> CheckpointError:
    """The refusal of a file without a tensor, with the name of the state that it holds."""
    state = state_without_tensors(tree)
    found = f"found {state}" if state else "no tensors in the file"
    return CheckpointError("expected tensors", found, "name a file that holds a state dict")


def _undecided(tensors: Sequence[Leaf]) -> str:
    """Why no dict of a file is its model; "" where one is."""
    if all(leaf.optimizer() for leaf in tensors):
        return f"the file holds {_state(tensors)} only, no tensors of a model"
    largest, most = _of_most_elements(_candidates(tensors))
    if len(largest) == 1:
        return ""
    return (
        f"no model is chosen: {len(largest)} dicts of {most:,} parameters, "
        f"{_dotted_list(largest[:8])} (--root chooses one)"
    )


def _everything(tensors: Sequence[Leaf], note: str) -> Choice:
    """All tensors by their full names: those that may be weights, and training state."""
    weights = [leaf for leaf in tensors if not leaf.aside()]
    others = [leaf for leaf in tensors if leaf.aside()]
    named_weights = tuple((_inner_name(leaf, ()), leaf.found) for leaf in weights)
    named_others = tuple((_inner_name(leaf, ()), _noted(leaf)) for leaf in others)
    _check_unique([name for name, _ in named_weights + named_others])
    return Choice(named_weights, named_others, (note,), _flags(weights))


def _noted(leaf: Leaf) -> Found:
    """The tensor, with a note where it is the state of a random number generator."""
    if not leaf.random:
        return leaf.found
    return replace(leaf.found, notes=(*leaf.found.notes, RANDOM))


def _split(tensors: Sequence[Leaf], prefix: Path) -> tuple[list[Leaf], list[Leaf]]:
    """(tensors of the model, all others): below the prefix, without state and averaged copies."""
    depth = len(prefix)
    inside = [leaf for leaf in tensors if leaf.path[:depth] == prefix]
    model = [leaf for leaf in inside if not leaf.aside(depth)]
    if not model:  # the dict of --root may hold nothing but state or copies
        model = inside
    # by identity: comparing leaves would compare their paths
    ids = {id(leaf) for leaf in model}
    others = [leaf for leaf in tensors if id(leaf) not in ids]
    return model, others


def _inner_name(leaf: Leaf, prefix: Path) -> str:
    """The name inside the dict at `prefix`; a file may hold one tensor and no dict."""
    path = leaf.path[len(prefix) :]
    return ".".join(path) if path else "tensor"


def _full_name(leaf: Leaf, names: Collection[str]) -> str:
    """The full name; it begins with a dot where the model has a tensor of that name."""
    name = ".".join(leaf.path)
    if name in names:
        return f".{name}"
    return name


def _check_unique(names: Sequence[str]) -> None:
    if len(set(names)) == len(names):  # the usual case, without a loop
        return
    first: set[str] = set()
    for name in names:
        if name in first:
            raise CheckpointError(
                "expected one tensor per name",
                f"found two named {shown(name)}",
                "save it with unique keys",
            )
        first.add(name)


def _flags(model: Sequence[Leaf]) -> tuple[str, ...]:
    odd = sum(leaf.odd for leaf in model)
    if not odd:
        return ()
    return (f"{odd} tensors have keys that are not strings: converted to text",)


def _largest(tensors: Sequence[Leaf]) -> Path:
    """The path of the container whose own tensors have the most elements."""
    largest, most = _of_most_elements(_candidates(tensors))
    if len(largest) > 1:
        raise NotChosen(
            "expected one largest dict of tensors",
            f"found {len(largest)} of {most:,} parameters: {_dotted_list(largest[:8])}",
            f"choose one, as in --root {_dotted(largest[0])}",
        )
    return largest[0]


def _of_most_elements(tensors: Sequence[Leaf]) -> tuple[list[Path], int]:
    """(the containers whose own tensors have the most elements, that number)."""
    sizes: dict[Path, int] = defaultdict(int)
    for leaf in tensors:
        sizes[leaf.path[:-1]] += leaf.found.params
    most = max(sizes.values())
    return [path for path, size in sizes.items() if size == most], most


def _candidates(tensors: Sequence[Leaf]) -> list[Leaf]:
    """Tensors that may be the model: weights, else averaged copies, never optimizer state."""
    weights = [leaf for leaf in tensors if not leaf.aside()]
    if weights:
        return weights
    copies = [leaf for leaf in tensors if not leaf.optimizer()]
    if copies:
        return copies
    raise CheckpointError(
        "expected the weights of a model",
        f"found {_state(tensors)} only, no tensors of a model",
        "name the file that holds the state dict",
    )


def _state(tensors: Sequence[Leaf]) -> str:
    """The name of training state."""
    if all(leaf.random for leaf in tensors):
        return "the state of random number generators"
    return "optimizer state"


def _selected(tensors: Sequence[Leaf], root: str) -> Path:
    """The container whose dotted path is `root`."""
    dicts: dict[str, Path] = {}
    for leaf in tensors:
        for depth in range(1, len(leaf.path)):  # every container above the tensor
            path = leaf.path[:depth]
            dicts[".".join(path)] = path
    if root not in dicts:
        raise NotChosen(
            f"expected --root to name one of the {len(dicts)} dicts that hold tensors",
            f"found {shown(root)}",
            _suggestion(root, list(dicts)[:_CANDIDATES]),
        )
    return dicts[root]


def _suggestion(root: str, names: list[str]) -> str:
    """The dict with nearly this spelling; without one all dicts, outer ones first."""
    near = get_close_matches(root, names, 1)
    if near:
        return f"did you mean {shown(near[0])}?"
    if not names:
        return "omit --root"
    outer_first = sorted(names, key=lambda name: name.count("."))
    return f"choose one of {listed(outer_first)}"


def _notes(prefix: Path, tensors: int, others: Sequence[Leaf], root: str | None) -> tuple[str, ...]:
    """The choice, where there was one, and where the other tensors are."""
    if not prefix and not others:
        return ()
    reason = "the largest dict of tensors (--root chooses another)"
    if root is not None:
        reason = "chosen by --root"
    choice = f"the model is {_dotted(prefix)}: {tensors} tensors, {reason}"
    if not others:
        return (choice,)
    dicts = sorted({_dotted(leaf.path[:-1]) for leaf in others})
    examples = ", ".join(dicts[:4])
    if len(dicts) > 4:
        examples += ", ..."
    return choice, f"listed, not measured: {len(others)} tensors in {examples}"


def _dotted(path: Path) -> str:
    return shown(".".join(path)) or "(top)"


def _dotted_list(paths: Sequence[Path]) -> str:
    return ", ".join(_dotted(path) for path in paths)
