"""The names that a refused pickle refers to, listed from its operations without executing any.

The list only fills a message: nothing is admitted because of it.
"""

from __future__ import annotations

import io
import pickletools
import warnings
from collections import deque

from ...errors import CheckpointError
from ...escape import LONGEST, listed
from .torch_globals import meaning
from .training_state import are_arguments

STEPS = 1_000_000  # operations that are scanned: a second, and below 100 MiB of memory
NAMES = 1000  # names that are collected: a message lists fewer
WORD = 256  # characters of a name: those that are allowed are shorter
_PUTS = ("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT")
SLOTS = 1 << 32  # of the memo; the text protocol spells larger ones, which may collide
ADVICE = "load it where it was written and save `model.state_dict()` again"
ARRAYS = "load it in the program that wrote it and save its arrays with safetensors.numpy.save_file"
ADVICES = {  # by the package whose classes are wanted
    "torch.distributed.checkpoint": "a distributed checkpoint: "
    "python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER model.pt",
    "deepspeed": "a DeepSpeed checkpoint: run zero_to_fp32.py in its folder",
    "sklearn": ARRAYS,
    "joblib": ARRAYS,
    "xgboost": ARRAYS,
    "lightgbm": ARRAYS,
    "pandas": ARRAYS,
    "tensorflow": ARRAYS,
    "keras": ARRAYS,
    "jax": ARRAYS,
    "flax": ARRAYS,
    "paddle": ARRAYS,
    "gensim": ARRAYS,
}


def refusal_of(names: tuple[str, ...]) -> CheckpointError:
    """The refusal of a pickle that refers to more than tensors and plain values."""
    found = f"a pickle that refers to {listed(names, LONGEST)}"
    if are_arguments(names):
        found = f"the arguments of a training run, {found}"
    return CheckpointError(
        "expected a state dict: tensors and plain values",
        f"found {found}; nothing was executed",
        advice_for(names),
    )


def advice_for(names: tuple[str, ...]) -> str:
    """The remedy for a file that refers to these names."""
    for package, advice in ADVICES.items():
        if any(name.startswith(package) for name in names):
            return advice
    return ADVICE


def wanted(raw: bytes, pickles: int = 1000) -> tuple[str, ...]:
    """Every name outside the allow-list in the first `pickles` of `raw`, sorted.

    >>> wanted(b"cos\\nsystem\\n(Vtrue\\ntR.")
    ('os.system',)
    """
    names: set[str] = set()
    stream = io.BytesIO(raw)
    with warnings.catch_warnings():  # text operations with odd escapes warn
        warnings.simplefilter("ignore")
        steps = 0
        for _ in range(pickles):
            scanned, has_ended = _scan(stream, names, STEPS - steps)
            steps += scanned
            if not has_ended or steps >= STEPS:
                break
    return tuple(sorted(names))


def _scan(stream: io.BytesIO, names: set[str], budget: int) -> tuple[int, bool]:
    """Add the refused names of one pickle; (operations, whether it ends in STOP)."""
    words: deque[str] = deque("??", 2)  # STACK_GLOBAL takes the last two texts
    memo: dict[int, str] = {}
    text = "?"
    step = 0
    try:
        for step, (op, arg, _) in enumerate(pickletools.genops(stream), 1):
            if step > budget or len(names) >= NAMES:
                return step, False
            if op.name in _PUTS:
                if arg is None:
                    slot = len(memo)
                else:
                    slot = int(arg)
                if 0 <= slot < SLOTS:
                    memo[slot] = text
                continue
            text = "?"  # for values that are not texts
            if op.name.endswith("GET"):
                text = memo.get(int(arg or 0), "?")
            elif isinstance(arg, str):
                text = arg[:WORD]
            _add_name(names, op.name, arg, words)
            if text != "?":
                words.append(text)
    except Exception:  # a fault of any kind ends the scan; the names before it are listed
        return step, False
    return step, True


def _add_name(names: set[str], operation: str, arg: object, words: deque[str]) -> None:
    """Add the name that one operation refers to, unless it is allowed."""
    if operation in ("EXT1", "EXT2", "EXT4"):
        names.add(f"extension {arg}")
        return
    if operation == "STACK_GLOBAL":
        module, name = words
    elif operation in ("GLOBAL", "INST"):
        module, name = str(arg)[: 2 * WORD].rsplit(" ", 1)
    else:
        return
    if meaning(module, name) is None and (module, name) != ("?", "?"):
        names.add(f"{module}.{name}")
