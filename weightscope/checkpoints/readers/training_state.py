"""What a training run saves beside its model: random numbers, schedules, scalers, arguments.

Recognised by content, not by the name of the file. The state of a random number generator is a
vector of bytes under a key such as `cpu`, `cuda_rng_state` or `torch_manual_seed`; alone in its
file it is recognised by the size that torch's generator of the CPU has.
"""

from __future__ import annotations

import re

from .torch_values import Found, Placeholder

CPU_STATE = 5056  # bytes of torch.random.get_rng_state()
_KEY = 128  # characters of a key that may name a generator
_ANYWHERE = re.compile(r"(?i)([^.]*_)?rngs?(_[^.]*)?")
_LAST = re.compile(  # in the last key that is no position in a list
    r"(?i)(torch|cpu|cuda|xpu|npu|mlu|musa|hpu|mps|seed)"
    r"|([^.]*_)?(random|generators?|manual_seed)(_[^.]*)?"
)
# By the keys that their state dict has; the first that fits.
_STATES = (
    (frozenset({"state", "param_groups"}), "the state of an optimizer without tensors"),
    (frozenset({"last_epoch"}), "the state of a learning-rate scheduler"),
    (frozenset({"_last_lr"}), "the state of a learning-rate scheduler"),
    (frozenset({"growth_factor", "growth_interval"}), "the state of a gradient scaler"),
    (frozenset({"python", "numpy"}), "the state of random number generators"),
)
ARGUMENTS = "the arguments of a training run"
OBJECTS = "no tensors but objects, such as settings or the state of a run"
# of Python itself: what a command line is parsed to
_PARSED = ("argparse.Namespace", "optparse.Values", "types.SimpleNamespace")
_ARGUMENTS = re.compile(r".*\.\w*(Training|Train)\w*(Arguments|Args|Config)")


def is_random_state(path: tuple[str, ...], found: Found) -> bool:
    """Whether a tensor is the state of a random number generator, by its type and its keys."""
    if found.kind.dtype != "U8" or len(found.dims) != 1:
        return False
    if not path:
        return found.dims == (CPU_STATE,)
    keys = [key for key in path if len(key) <= _KEY and not key.isdigit()]
    if any(_ANYWHERE.fullmatch(key) for key in keys):
        return True
    return any(_LAST.fullmatch(key) for key in keys[-1:])


def state_without_tensors(tree: object) -> str:
    """The name of a training state by its keys; "" for anything else.

    >>> state_without_tensors({"last_epoch": 3, "base_lrs": [0.1]})
    'the state of a learning-rate scheduler'
    """
    if not isinstance(tree, dict):
        return ""
    for keys, state in _STATES:
        if tree.keys() >= keys:
            return state
    return ""


def state_of_objects(tree: object) -> str:
    """The name of a tree without tensors in which objects of unknown classes are.

    >>> state_of_objects(Placeholder("argparse.Namespace", []))
    'the arguments of a training run'
    >>> state_of_objects({"step": 3})
    'no tensors but objects, such as settings or the state of a run'
    """
    if isinstance(tree, Placeholder) and tree.name in _PARSED:
        return ARGUMENTS
    return state_without_tensors(tree) or OBJECTS


def are_arguments(names: tuple[str, ...]) -> bool:
    """Whether one of the classes of a pickle holds the arguments of a training run.

    >>> are_arguments(("transformers.training_args.TrainingArguments",))
    True
    """
    return any(_ARGUMENTS.fullmatch(name) for name in names)
