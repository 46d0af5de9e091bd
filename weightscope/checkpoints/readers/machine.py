"""The machine of pickle operations: a stack, marks and a memo, with bounded steps and copies.

The operations themselves are in operations.py.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeVar

from ...errors import CheckpointError
from .pickle_scan import ADVICE
from .placeholders import Unknown
from .raw_file import Stream
from .torch_values import RefusedError

T = TypeVar("T")
Operation: TypeAlias = "Callable[[Machine], None]"
Operations: TypeAlias = Mapping[bytes, Operation]  # by the byte of the operation

# about 200,000 tensors, and below 1 GB of memory for any operations
STEP_LIMIT = 5_000_000
# of few bytes fewer: an operation of one byte can make a dict, and torch writes seven bytes for one
FEW = 1_500_000
BYTES = 8  # for each operation beyond these
_NAMES = {op.code: op.name for op in pickletools.opcodes}


class Machine:
    """Stack, marks and memo; `run` executes the stream up to STOP and returns the last value."""

    def __init__(
        self,
        stream: Stream,
        persistent: Callable[[object], object],
        operations: Operations,
        unknown: Unknown,
    ) -> None:
        self.stream = stream
        self.persistent = persistent
        self.operations = operations
        self.unknown = unknown  # names and objects outside the allow-list
        self.stack: list[object] = []
        self.marks: list[list[object]] = []
        self.memo: dict[int, object] = {}  # shared values by slot
        # equal texts are one object, which dicts compare by identity
        self.words: dict[str, str] = {}
        self.steps = 0  # operations so far
        self.copied = 0  # items so far

    def run(self) -> object:
        """The one pickled value; raises CheckpointError with the byte of the faulty operation."""
        start = self.stream.position
        allowed = FEW
        for self.steps in range(STEP_LIMIT):
            at = self.stream.position
            if self.steps >= allowed:
                allowed = FEW + (at - start) // BYTES
                self._check_steps(allowed)
            code = self.stream.take(1)
            if code == b".":
                break
            self._execute(code, at)
        else:
            raise CheckpointError(
                f"expected a pickle of at most {STEP_LIMIT} operations",
                "found a longer one",
                ADVICE,
            )
        if len(self.stack) != 1 or self.marks:
            raise CheckpointError(
                "expected one pickled value",
                f"found {len(self.stack)} at byte {at}",
                "the file is damaged or forged",
            )
        return self.stack[0]

    def _check_steps(self, allowed: int) -> None:
        """Refuse more operations than the bytes so far allow: they would take too much memory."""
        if self.steps >= allowed:
            raise CheckpointError(
                f"expected a pickle of at most {allowed} operations for its length",
                "found more",
                ADVICE,
            )

    def _execute(self, code: bytes, at: int) -> None:
        try:
            self.operations[code](self)
        except RefusedError as fault:
            raise CheckpointError(
                "expected a state dict as torch.save writes it",
                f"found {fault} at byte {at}",
                ADVICE,
            ) from fault
        # an empty stack, an unknown operation or memo slot, text with a fault
        except (IndexError, KeyError, ValueError) as fault:
            raise CheckpointError(
                "expected a state dict as torch.save writes it",
                f"found {self._fault(code)} at byte {at}",
                self._remedy(code),
            ) from fault

    def _fault(self, code: bytes) -> str:
        name = _NAMES.get(code.decode("latin-1"))
        if name is None:
            return f"no pickle operation (0x{code.hex()})"
        word = "a broken" if code in self.operations else "the refused"
        return f"{word} pickle operation {name}"

    def _remedy(self, code: bytes) -> str:
        """Another program may have written an operation that is refused; no file is damaged."""
        if code in self.operations or code.decode("latin-1") not in _NAMES:
            return "the file is damaged or forged"
        return ADVICE

    def number(self, form: str) -> int:
        """A little-endian integer of the struct format `form`."""
        raw = self.stream.take(struct.calcsize(form))
        (value,) = struct.unpack("<" + form, raw)
        return int(value)

    def push(self, value: object) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def charge(self, items: int) -> None:
        """Count the items that an operation copies out of the memo: forged files grow by copies."""
        self.copied += items
        if self.copied > self.steps:
            raise RefusedError(
                f"{self.copied} items copied in {self.steps} operations: lists used again and again"
            )

    def topped(self, kind: type[T]) -> T:
        """The value on top, which must be of exactly this type."""
        value = self.stack[-1]
        if type(value) is not kind:
            raise RefusedError(f"items for a value of another type than {kind.__name__}")
        return value

    def since_mark(self) -> list[object]:
        """The values pushed since the last mark, taken off together with it."""
        values = self.stack
        self.stack = self.marks.pop()
        return values
