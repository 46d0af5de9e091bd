"""The few pickle operations that torch.save uses; they make inert values only.

The only calls are to an Act of torch_globals.py; an object of another class is a placeholder.
Operations that torch never writes (extension codes, INST, the text protocol) do not exist here.
Names and semantics of the operations: Lib/pickletools.py of CPython.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from ...escape import shown
from .keys import decoded, key_of
from .machine import Machine, Operation, Operations
from .objects import call, held, new, own
from .placeholders import RefusedNameError
from .torch_globals import ORDERED, RECONSTRUCTED, Act, meaning, present
from .torch_values import Inert, Placeholder, Reference, RefusedError

SET, FROZEN = Inert("builtins.set"), Inert("builtins.frozenset")


def _sized(form: str, make: Callable[[bytes], object]) -> Operation:
    """Push a value made of bytes; their number precedes them, in the struct format `form`."""

    def act(m: Machine) -> None:
        length = m.number(form)
        raw = m.stream.take(length)
        m.push(make(raw))

    return act


def _worded(form: str, decode: Callable[[bytes], str]) -> Operation:
    """Push a text, the same object for equal texts."""

    def act(m: Machine) -> None:
        length = m.number(form)
        text = decode(m.stream.take(length))
        m.push(m.words.setdefault(text, text))

    return act


def _utf8(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def _tuple(length: int) -> Operation:
    def act(m: Machine) -> None:
        first = len(m.stack) - length
        if first < 0:  # a negative index would count from the end
            raise IndexError
        values = tuple(m.stack[first:])
        m.stack[first:] = [values]

    return act


def _protocol(m: Machine) -> None:
    version = m.number("B")
    if version not in (2, 3, 4, 5):  # the operation exists since protocol 2
        raise RefusedError(f"pickle protocol {version}")


def _memoised(index: Callable[[Machine], int]) -> Operation:
    def act(m: Machine) -> None:
        value = m.stack[-1]
        m.memo[index(m)] = value

    return act


def _global(m: Machine) -> None:
    module = m.stream.line()
    name = m.stream.line()
    _push_global(m, module.decode(), name.decode())


def _stack_global(m: Machine) -> None:
    name = m.stack.pop()
    module = m.stack.pop()
    if not isinstance(module, str) or not isinstance(name, str):
        raise RefusedError("a global whose name is not a string")
    _push_global(m, module, name)


def _push_global(m: Machine, module: str, name: str) -> None:
    value = meaning(module, name)
    if value is None:
        value = m.unknown.reference(present(module, name))
    if value is None:
        dotted = f"{module}.{name}"
        raise RefusedNameError(f"the name {shown(dotted)}, which no state dict needs,", dotted)
    m.push(value)


def _persistent(m: Machine) -> None:
    identity = m.stack.pop()
    m.push(m.persistent(identity))


def _reduce(m: Machine) -> None:
    args = m.stack.pop()
    act = m.stack.pop()
    if isinstance(act, Reference):
        m.push(call(m, act, args))
        return
    if not isinstance(act, Act) or not isinstance(args, tuple):
        name = getattr(act, "name", type(act).__name__)
        raise RefusedError(f"a call of {shown(name)}, which nothing may call,")
    if act.name == ORDERED:  # the only call that copies many items
        lists = [part for part in args if isinstance(part, list)]
        m.charge(sum(len(part) for part in lists))
    if act.name == RECONSTRUCTED:  # copyreg's function for a class, its base and its value
        cls, *parts = args or (None,)
        m.push(call(m, cls, tuple(parts)))
        return
    m.push(act.make(args))


def _build(m: Machine) -> None:
    """Drop the state of an OrderedDict (`_metadata`) or a numpy value: no tensor depends on it."""
    state = m.stack.pop()
    target = m.stack[-1]
    if isinstance(target, Placeholder):
        target.parts.append(state)
        return
    if type(target) is dict and isinstance(state, dict):
        return
    if isinstance(target, Inert) and isinstance(state, tuple):
        return
    raise RefusedError("a state for an object that has none")


def _set_items(m: Machine, pairs: list[object]) -> None:
    """Put alternating keys and values in the dict on top, or in an object of an unknown class."""
    if held(m, pairs):
        return
    target = m.topped(dict)
    if len(pairs) % 2:
        raise IndexError
    keys = pairs[::2]
    values = pairs[1::2]
    for key, value in zip(keys, values, strict=True):
        target[key_of(key, len(target))] = value
        own(key, value)


def _discard(m: Machine) -> None:
    """POP: the value on top, or a mark where nothing follows it."""
    if m.stack:
        m.stack.pop()
    else:
        m.since_mark()


def _pop_mark(m: Machine) -> None:
    m.since_mark()


def _mark(m: Machine) -> None:
    m.marks.append(m.stack)
    m.stack = []


def _dict(m: Machine) -> None:
    items = m.since_mark()
    m.push({})
    _set_items(m, items)


def _setitem(m: Machine) -> None:
    value = m.stack.pop()
    key = m.stack.pop()
    _set_items(m, [key, value])


def _append(m: Machine) -> None:
    value = m.stack.pop()
    if held(m, [value]):
        return
    m.topped(list).append(value)


def _appends(m: Machine) -> None:
    values = m.since_mark()
    if held(m, values):
        return
    m.topped(list).extend(values)


def _add_items(m: Machine) -> None:
    """Drop the items of a set: no tensor depends on them."""
    values = m.since_mark()
    if not held(m, values):
        m.topped(Inert)


def _frozen(m: Machine) -> None:
    m.since_mark()
    m.push(FROZEN)


def _frame(m: Machine) -> None:
    m.number("Q")  # its length: nothing is read ahead


def _float(m: Machine) -> None:
    (value,) = struct.unpack(">d", m.stream.take(8))
    m.push(value)


def _signed(raw: bytes) -> int:
    return int.from_bytes(raw, "little", signed=True)


OPERATIONS: Operations = {
    b"\x80": _protocol,
    b"\x95": _frame,
    b"(": _mark,
    b"0": _discard,
    b"1": _pop_mark,
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"J": lambda m: m.push(m.number("i")),
    b"K": lambda m: m.push(m.number("B")),
    b"M": lambda m: m.push(m.number("H")),
    b"\x8a": _sized("B", _signed),
    b"\x8b": _sized("I", _signed),
    b"G": _float,
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
    b"q": _memoised(lambda m: m.number("B")),
    b"r": _memoised(lambda m: m.number("I")),
    b"\x94": _memoised(lambda m: len(m.memo)),
    b"h": lambda m: m.push(m.memo[m.number("B")]),
    b"j": lambda m: m.push(m.memo[m.number("I")]),
    b"c": _global,
    b"\x93": _stack_global,
    b"Q": _persistent,
    b"R": _reduce,
    b"\x81": lambda m: new(m, keywords=False),
    b"\x92": lambda m: new(m, keywords=True),
    b"b": _build,
}
