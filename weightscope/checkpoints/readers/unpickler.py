"""An interpreter for the few pickle operations that torch.save uses, on inert values only.

It is no subclass of Python's unpickler: there is no import, no `__reduce__`, no `__setstate__` to reach, and what is
called is an Act of torch_globals. Operations that torch never writes (extension codes, INST, NEWOBJ, the text
protocol) do not exist here. What a refused pickle asked for is listed by a scan that executes nothing.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from ...errors import CheckpointError
from ...escape import shown
from .. import limits
from .keys import decoded, key_of
from .persistent import storages
from .pickle_scan import ADVICE, asks, wanted
from .raw_file import RawFile, Stream
from .torch_globals import ORDERED, Act, meaning
from .torch_values import Inert, RefusedError, Storage

T = TypeVar("T")
STEP_LIMIT = 5_000_000  # operations: about 200,000 tensors, and below 1 GB whatever they are
SET, FROZEN = Inert("builtins.set"), Inert("builtins.frozenset")


@dataclass(frozen=True)
class Loaded:
    """What a torch file holds: the pickled tree of inert values, and where each storage starts in the file."""

    tree: object
    starts: Mapping[str, int] = field(default_factory=dict)
    swapped: bool = False
    flags: tuple[str, ...] = ()


class Machine:
    """Stack, marks and memo; `run` takes operations from the stream until STOP and returns the one value left."""

    def __init__(self, stream: Stream, persistent: Callable[[object], object]) -> None:
        self.stream, self.persistent = stream, persistent
        self.stack: list[object] = []
        self.marks: list[list[object]] = []
        self.memo: dict[int, object] = {}
        self.words: dict[
            str, str
        ] = {}  # equal texts are one object, which dicts compare by identity
        self.steps = self.copied = 0

    def run(self) -> object:
        """The pickled value; CheckpointError, with the byte of the offending operation, for anything else than one."""
        for self.steps in range(STEP_LIMIT):
            at, code = self.stream.position, self.stream.take(1)
            if code == b".":
                break
            try:
                OPERATIONS[code](self)
            except RefusedError as fault:
                raise CheckpointError(
                    "expected a state dict as torch.save writes it",
                    f"found {fault} at byte {at}",
                    ADVICE,
                ) from fault
            except (IndexError, KeyError, ValueError) as fault:
                raise CheckpointError(
                    "expected a state dict as torch.save writes it",
                    f"found {_fault(code)} at byte {at}",
                    "the file is damaged or forged",
                ) from fault
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

    def number(self, form: str) -> int:
        """A little-endian integer of the struct format `form`."""
        return int(struct.unpack("<" + form, self.stream.take(struct.calcsize(form)))[0])

    def push(self, value: object) -> None:
        """Onto the stack."""
        self.stack.append(value)

    def charge(self, items: int) -> None:
        """Counts what an operation copies out of the memo: a file that grows by it was made to."""
        self.copied += items
        if self.copied > self.steps:
            raise RefusedError(
                f"{self.copied} items copied in {self.steps} operations: lists used again and again"
            )

    def topped(self, kind: type[T]) -> T:
        """The value on top, which must be of exactly this kind."""
        if type(self.stack[-1]) is not kind:
            raise RefusedError(f"items for what is no {kind.__name__}")
        return self.stack[-1]

    def since_mark(self) -> list[object]:
        """The values pushed since the last mark, taken off together with it."""
        values, self.stack = self.stack, self.marks.pop()
        return values


_KNOWN = {op.code: op for op in pickletools.opcodes}


def _fault(code: bytes) -> str:
    known = _KNOWN.get(code.decode("latin-1"))
    if known is None:
        return f"no pickle operation (0x{code.hex()})"
    return f"{'a broken' if code in OPERATIONS else 'the refused'} pickle operation {known.name}"


def _sized(form: str, make: Callable[[bytes], object]) -> Callable[[Machine], None]:
    return lambda m: m.push(make(m.stream.take(m.number(form))))


def _worded(form: str, decode: Callable[[bytes], str]) -> Callable[[Machine], None]:
    def act(m: Machine) -> None:
        text = decode(m.stream.take(m.number(form)))
        m.push(m.words.setdefault(text, text))

    return act


def _utf8(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def _tuple(length: int) -> Callable[[Machine], None]:
    def act(m: Machine) -> None:
        if len(m.stack) < length:
            raise IndexError
        m.stack[len(m.stack) - length :] = [tuple(m.stack[len(m.stack) - length :])]

    return act


def _protocol(m: Machine) -> None:
    version = m.number("B")
    if version not in (2, 3, 4, 5):
        raise RefusedError(f"pickle protocol {version}")


def _remember(index: Callable[[Machine], int]) -> Callable[[Machine], None]:
    def act(m: Machine) -> None:
        m.memo[index(m)] = m.stack[-1]

    return act


def _global(m: Machine) -> None:
    module, name = m.stream.line(), m.stream.line()
    _named(m, module.decode(), name.decode())


def _stack_global(m: Machine) -> None:
    name, module = m.stack.pop(), m.stack.pop()
    if not isinstance(module, str) or not isinstance(name, str):
        raise RefusedError("a global whose name is no text")
    _named(m, module, name)


def _named(m: Machine, module: str, name: str) -> None:
    value = meaning(module, name)
    if value is None:
        raise RefusedError(f"the name {shown(f'{module}.{name}')}, which no state dict needs,")
    m.push(value)


def _persistent(m: Machine) -> None:
    m.push(m.persistent(m.stack.pop()))


def _reduce(m: Machine) -> None:
    args, act = m.stack.pop(), m.stack.pop()
    if not isinstance(act, Act) or not isinstance(args, tuple):
        raise RefusedError(
            f"a call of {shown(getattr(act, 'name', type(act).__name__))}, which nothing may call,"
        )
    if act.name == ORDERED:
        m.charge(sum(len(part) for part in args if isinstance(part, list)))
    m.push(act.make(args))


def _build(m: Machine) -> None:
    """State of an OrderedDict (`_metadata`) or of a numpy value: neither says anything about a tensor."""
    state = m.stack.pop()
    fits = (
        isinstance(state, dict)
        if type(m.stack[-1]) is dict
        else isinstance(m.stack[-1], Inert) and isinstance(state, tuple)
    )
    if not fits:
        raise RefusedError("a state for an object that has none")


def _set_items(m: Machine, pairs: list[object]) -> None:
    target = m.topped(dict)
    if len(pairs) % 2:
        raise IndexError
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        target[key_of(key, len(target))] = value


def _discard(m: Machine) -> None:
    if m.stack:
        m.stack.pop()
    else:
        m.since_mark()


def _mark(m: Machine) -> None:
    m.marks.append(m.stack)
    m.stack = []


def _dict(m: Machine) -> None:
    items = m.since_mark()
    m.push({})
    _set_items(m, items)


def _setitem(m: Machine) -> None:
    value, key = m.stack.pop(), m.stack.pop()
    _set_items(m, [key, value])


def _append(m: Machine) -> None:
    value = m.stack.pop()
    m.topped(list).append(value)


def _appends(m: Machine) -> None:
    values = m.since_mark()
    m.topped(list).extend(values)


def _add_items(m: Machine) -> None:
    m.since_mark()
    m.topped(Inert)


def _frozen(m: Machine) -> None:
    m.since_mark()
    m.push(FROZEN)


def _integer(form: str) -> Callable[[Machine], None]:
    return _sized(form, lambda raw: int.from_bytes(raw, "little", signed=True))


OPERATIONS: Mapping[bytes, Callable[[Machine], object]] = {
    b"\x80": _protocol,
    b"\x95": lambda m: m.number("Q") and None,
    b"(": _mark,
    b"0": _discard,
    b"1": lambda m: m.since_mark() and None,
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"J": lambda m: m.push(m.number("i")),
    b"K": lambda m: m.push(m.number("B")),
    b"M": lambda m: m.push(m.number("H")),
    b"\x8a": _integer("B"),
    b"\x8b": _integer("I"),
    b"G": lambda m: m.push(struct.unpack(">d", m.stream.take(8))[0]),
    b"X": _worded("I", _utf8),
    b"\x8c": _worded("B", _utf8),
    b"\x8d": _worded("Q", _utf8),
    b"T": _worded("I", decoded),
    b"U": _worded("B", decoded),  # Python 2 wrote names as bytes
    b"B": _sized("I", bytes),
    b"C": _sized("B", bytes),
    b"\x8e": _sized("Q", bytes),
    b"]": lambda m: m.push([]),
    b")": lambda m: m.push(()),
    b"}": lambda m: m.push({}),
    b"\x8f": lambda m: m.push(SET),
    b"\x91": _frozen,
    b"t": lambda m: m.push(tuple(m.since_mark())),
    b"l": lambda m: m.push(m.since_mark()),
    b"d": _dict,
    b"\x85": _tuple(1),
    b"\x86": _tuple(2),
    b"\x87": _tuple(3),
    b"a": _append,
    b"e": _appends,
    b"s": _setitem,
    b"u": lambda m: _set_items(m, m.since_mark()),
    b"\x90": _add_items,
    b"q": _remember(lambda m: m.number("B")),
    b"r": _remember(lambda m: m.number("I")),
    b"\x94": _remember(lambda m: len(m.memo)),
    b"h": lambda m: m.push(m.memo[m.number("B")]),
    b"j": lambda m: m.push(m.memo[m.number("I")]),
    b"c": _global,
    b"\x93": _stack_global,
    b"Q": _persistent,
    b"R": _reduce,
    b"b": _build,
}


def unpickle(raw: RawFile, start: int, stop: int, seen: dict[str, Storage]) -> tuple[object, int]:
    """(inert value, byte after STOP) of the pickle at `start`; the storages that it names are collected in `seen`.

    Where it is refused, everything outside the allow-list that it asks for is named.
    """
    stream = Stream(raw, start, min(stop, start + limits.HEADER))
    try:
        return Machine(stream, storages(seen)).run(), stream.position
    except CheckpointError as fault:
        names = wanted(raw.at(start, min(stop, raw.size, start + limits.HEADER) - start), 1)
        if not names:
            raise
        raise asks(names) from fault
