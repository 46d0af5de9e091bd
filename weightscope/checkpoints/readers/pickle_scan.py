"""The names that a refused pickle refers to, listed from its operations without executing any.

The list only fills a message: nothing is admitted because of it.
"""

from __future__ import annotations

import io
import pickletools
import warnings
from collections import deque
from dataclasses import dataclass

from ...errors import CheckpointError
from ...escape import LONGEST, listed
from .torch_globals import meaning
from .training_state import ARGUMENTS, are_arguments

STEPS = 1_000_000  # operations that are scanned: a second, and below 100 MiB of memory
NAMES = 1000  # names that are collected: a message lists fewer
LIKELY = 1000  # operations after which no other file than a pickle has a fault
WORD = 256  # characters of a name: those that are allowed are shorter
_PUTS = ("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT")
SLOTS = 1 << 32  # of the memo; the text protocol spells larger ones, which may collide
ADVICE = "load it where it was written and save `model.state_dict()` again"
NO_MODEL = "name a file that holds a state dict"
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


@dataclass(frozen=True)
class Scan:
    """The refused names in the operations of a file, and how far these were looked at."""

    names: tuple[str, ...] = ()  # sorted
    steps: int = 0  # operations
    is_cut: bool = False  # by a budget: more names may follow
    is_whole: bool = False  # pickles up to the last byte

    @property
    def is_pickle(self) -> bool:
        """Whether the file is a pickle, of any protocol: few other bytes are operations."""
        return self.steps > 1 and (self.is_whole or self.is_cut or self.steps >= LIKELY)


def refusal_of(
    names: tuple[str, ...], scan: Scan | None = None, state: str = ""
) -> CheckpointError:
    """The refusal of a pickle that refers to more than tensors and plain values.

    `scan` is where the names were listed, which may have stopped before others; `state` is what
    the file holds, where it is known to hold no tensor.
    """
    found = f"a pickle that refers to {listed(names, LONGEST)}"
    if are_arguments(names):
        state = ARGUMENTS
    if state:
        found = f"{state}, {found}"
    if scan is not None and scan.is_cut:
        found += f", and perhaps to more after {scan.steps} operations, where the scan stops"
    return CheckpointError(
        "expected a state dict: tensors and plain values",
        f"found {found}; nothing was executed",
        advice_for(names, NO_MODEL if state else ADVICE),
    )


def other_pickle(scan: Scan) -> CheckpointError:
    """The refusal of a pickle without a torch file in it, and without a refused name."""
    found = "a pickle that torch.save did not write"
    if scan.is_cut:
        found += (
            f": it refers to nothing but arrays and plain values in its first {scan.steps} "
            "operations, where the scan stops"
        )
    return CheckpointError("expected a torch file (zip or legacy)", f"found {found}", ARRAYS)


def advice_for(names: tuple[str, ...], usual: str = ADVICE) -> str:
    """The remedy for a file that refers to these names; `usual` for those of no known package."""
    for package, advice in ADVICES.items():
        if any(name.startswith(package) for name in names):
            return advice
    return usual


def wanted(raw: bytes, pickles: int = 1000) -> tuple[str, ...]:
    """Every name outside the allow-list in the first `pickles` of `raw`, sorted.

    >>> wanted(b"cos\\nsystem\\n(Vtrue\\ntR.")
    ('os.system',)
    """
    return scanned(raw, pickles).names


def scanned(raw: bytes, pickles: int = 1000) -> Scan:
    """The names outside the allow-list in the first `pickles` of `raw`, as far as budgets allow."""
    names: set[str] = set()
    stream = io.BytesIO(raw)
    is_cut = False
    with warnings.catch_warnings():  # text operations with odd escapes warn
        warnings.simplefilter("ignore")
        steps = 0
        has_ended = False
        for _ in range(pickles):
            seen, has_ended, is_cut = _scan(stream, names, STEPS - steps)
            steps += seen
            if not has_ended or stream.tell() == len(raw):
                break
    is_whole = has_ended and stream.tell() == len(raw)
    if has_ended and not is_whole and pickles > 1:
        is_cut = True
    return Scan(tuple(sorted(names)), steps, is_cut, is_whole)


def _scan(stream: io.BytesIO, names: set[str], budget: int) -> tuple[int, bool, bool]:
    """Add the refused names of one pickle; (operations, whether it ends in STOP, or a budget)."""
    words: deque[str] = deque("??", 2)  # STACK_GLOBAL takes the last two texts
    memo: dict[int, str] = {}
    text = "?"
    step = 0
    try:
        for step, (op, arg, _) in enumerate(pickletools.genops(stream), 1):
            if step > budget or len(names) >= NAMES:
                return step - 1, False, True
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
        return step, False, False
    return step, True, False


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
