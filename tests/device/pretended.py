"""A CUDA device that is not there: arithmetic of the CPU, rules of CUDA about where tensors lie.

Tensors "on the device" are marked by a subclass. A call that CUDA would refuse raises; one for
which the host would have to wait is counted by the line of the package that makes it. The device
has the number 1, so that a call which means the current device of its thread is noticed.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from types import EllipsisType, NoneType

import numpy as np
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from tests.device.single_calls import INDEXING, METADATA, SINGLE, is_single

NAME = "cuda:1"
DEVICE = torch.device(NAME)
PACKAGE = "weightscope/"
SENDING = "/sending.py"
OUTSIDE = "outside"  # the line of a call that no code of the package has made
Tensor = torch.Tensor

# calls that bring data to the host
TO_HOST = {"cpu", "item", "tolist", "__bool__", "__int__", "__float__", "__index__", "__len__item"}
# operations with a result whose size, or a check whose answer, the host needs
WAITING = {
    "nonzero",
    "masked_select",
    "_unique2",
    "unique_dim",
    "unique_consecutive",
    "bincount",
    "_local_scalar_dense",
    "_linalg_check_errors",
    "equal",
    "is_nonzero",
    "repeat_interleave",
}
# products, which CUDA has for floating types alone
PRODUCTS = {"mm", "bmm", "mv", "dot", "addmm", "addmm_", "baddbmm", "baddbmm_", "addmv", "vdot"}
WORDS_ONLY = (torch.uint16, torch.uint32, torch.uint64)  # copied and viewed, not computed with
COPYING = {"copy_", "_to_copy", "view", "detach", "alias", "as_strided", "_unsafe_view", "clone"}
# operations that take device and host tensors
ACROSS = {"copy_", "to", *INDEXING}
# calls that follow no rule where all tensors are there
ORDINARY = SINGLE - ACROSS
PLAIN = {int, float, bool, slice, EllipsisType, NoneType, torch.dtype}  # arguments of them


class Refused(RuntimeError):
    """CUDA would raise here."""


class OnDevice(torch.Tensor):
    """A CPU tensor that says it is on a device."""

    __torch_function__ = torch._C._disabled_torch_function_impl


@dataclass
class Log:
    """What the device was asked for, by the line of the package."""

    waits: Counter = field(default_factory=Counter)  # (line, what) the host waits for the device
    uploads: Counter = field(default_factory=Counter)  # (line, what) from memory that is not pinned
    copies: Counter = field(default_factory=Counter)  # line: from pinned memory, without a wait
    refused: list[str] = field(default_factory=list)
    pinned: list[Tensor] = field(default_factory=list)
    passes: int = 0  # of the measure that was taken last

    @property
    def waited(self) -> int:
        """Number of waits."""
        return sum(self.waits.values())

    @property
    def uploaded(self) -> int:
        """Number of uploads by the package: the host waits for each."""
        return sum(n for (line, _), n in self.uploads.items() if line != OUTSIDE)

    @property
    def copied(self) -> int:
        """Number of copies from pinned memory."""
        return sum(self.copies.values())


def where() -> str:
    """file:line of the innermost frame of the package, which may have sent a tensor."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if PACKAGE in name and "/tests/" not in name and not name.endswith(SENDING):
            return f"{name.rsplit(PACKAGE, 1)[1]}:{frame.f_lineno} {frame.f_code.co_name}"
        frame = frame.f_back
    return OUTSIDE


def marked(out: object) -> object:
    """The result of a call on the device."""
    if isinstance(out, Tensor):
        return out if type(out) is OnDevice else out.as_subclass(OnDevice)
    if isinstance(out, (tuple, list)):
        values = [marked(x) for x in out]
        if hasattr(out, "_fields") or type(out).__module__ == "torch.return_types":
            return type(out)(values)
        return tuple(values) if isinstance(out, tuple) else values
    return out


def on_host(x: Tensor) -> Tensor:
    """A copy: memory of host and device is not shared."""
    return x.as_subclass(Tensor).clone()


class Kernels(TorchDispatchMode):
    """The operations that calls on the device consist of."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self.log = log

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here: to skip it, torch would import its compiler, for 2 s."""
        return False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        if name in PRODUCTS and not args[0].is_floating_point():
            refuse(self.log, f"{name} of {args[0].dtype}")
        computes = name not in COPYING and args and isinstance(args[0], Tensor)
        if computes and args[0].dtype in WORDS_ONLY:
            refuse(self.log, f"{name} of {args[0].dtype}")
        if name in WAITING or _masked(name, args):
            self.log.waits[where(), name] += 1
        return func(*args, **(kwargs or {}))


def _masked(name: str, args: tuple) -> bool:
    """Whether elements are chosen by a mask, whose ones are counted first."""
    if name not in ("index", "index_put_", "index_put", "_index_put_impl_"):
        return False
    return any(x is not None and x.dtype == torch.bool for x in args[1])


def refuse(log: Log, what: str) -> None:
    """Raises as CUDA would."""
    message = f"{what} at {where()}"
    log.refused.append(message)
    raise Refused(message)


class Pretended(TorchFunctionMode):
    """All calls of torch by one thread."""

    def __init__(self, log: Log, streams) -> None:
        super().__init__()
        self.log, self.streams, self.kernels = log, streams, Kernels(log)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = _name(func)
        if name == "__get__":
            return self._attribute(func, args)
        kwargs = kwargs or {}
        if name in METADATA:
            return func(*args, **kwargs)
        if name in ORDINARY or (name == "__getitem__" and is_single(name, args)):
            are_there = _are_there(args, kwargs)
            if are_there is not None:
                out = func(*args, **kwargs)
                return marked(out) if are_there else out
        target = _target(name, args, kwargs)
        tensors = _tensors((*args, *kwargs.values()))
        there = OnDevice in map(type, tensors)
        if kwargs.get("pin_memory"):
            return self._pinned(func, args, kwargs)
        if not there and target != NAME:
            return func(*args, **kwargs)
        if target is not None:
            args, kwargs = _without_device(name, args, kwargs)
        if there:
            self._check(name, args, kwargs, tensors)
        if there and (name in TO_HOST or (name == "to" and target == "cpu")):
            return self._to_host(name, args, kwargs)
        if not there and name in ("to", "tensor", "as_tensor"):
            self.log.uploads[where(), name] += 1
        if name == "copy_" and kwargs.get("non_blocking") and not isinstance(args[1], OnDevice):
            return self._copied(args)
        if is_single(name, args) and not any(x.dtype in WORDS_ONLY for x in tensors):
            out = func(*args, **kwargs)
        else:
            with self.kernels:
                out = func(*args, **kwargs)
        if not there and name == "to" and out is args[0]:
            out = out.clone()
        return marked(out)

    def _attribute(self, func, args):
        """A property of a tensor, such as its device."""
        if type(args[0]) is not OnDevice:
            return func(*args)
        name = _property(func)
        if name == "device":
            return DEVICE
        if name == "is_cuda":
            return True
        out = func(*args)
        return marked(out) if isinstance(out, Tensor) else out

    def _to_host(self, name, args, kwargs):
        self.log.waits[where(), name] += 1
        if name in ("cpu", "to"):
            return on_host(args[0])
        return getattr(Tensor, name)(args[0].as_subclass(Tensor), *args[1:], **kwargs)

    def _pinned(self, func, args, kwargs):
        """Pinned memory belongs to the current device of the thread."""
        if self.streams.current_device() != NAME:
            refuse(self.log, "pinned memory opens another device")
        kwargs = {key: value for key, value in kwargs.items() if key != "pin_memory"}
        buffer = func(*args, **kwargs)
        self.log.pinned.append(buffer)
        return buffer

    def _copied(self, args):
        """A copy that the host does not wait for: it happens when its stream comes to it."""
        target, source = args[0], args[1]
        if not any(_within(source, buffer) for buffer in self.log.pinned):
            refuse(self.log, "a copy without a wait from memory that is not pinned")
        self.log.copies[where()] += 1
        plain = target.as_subclass(Tensor)
        self.streams.queued(lambda: plain.copy_(source), source.data_ptr())
        return target

    def _check(self, name, args, kwargs, tensors):
        """Raises where CUDA would."""
        if name in ("numpy", "__array__"):
            refuse(self.log, f"{name} of a device tensor")
        if name in INDEXING and _has_list(args[1]):  # becomes a tensor there
            self.log.uploads[where(), "index"] += 1
        host = [x for x in tensors if type(x) is not OnDevice]
        if not host:
            return
        if name not in ACROSS:
            if name in ("cat", "stack") or any(x.dim() for x in host):
                refuse(self.log, f"{name} of device and host tensors")
            return
        if name == "__getitem__" and not isinstance(args[0], OnDevice):
            refuse(self.log, "a host tensor indexed by a device tensor")
        if name == "__setitem__":
            self._check_assignment(*args)
        if name == "copy_" and isinstance(args[1], OnDevice):
            self.log.waits[where(), name] += 1
        elif not kwargs.get("non_blocking"):
            self.log.uploads[where(), name] += 1

    def _check_assignment(self, target, index, value):
        """Host values may be assigned to slices; by an index they may not, single ones excepted."""
        if not isinstance(target, OnDevice):
            refuse(self.log, "device values assigned to a host tensor")
        parts = index if isinstance(index, tuple) else (index,)
        is_advanced = any(isinstance(part, Tensor | list) and _length(part) for part in parts)
        is_on_host = isinstance(value, Tensor) and not isinstance(value, OnDevice)
        if is_advanced and is_on_host and value.dim():
            refuse(self.log, "host values assigned by index")


def _has_list(index) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(part, list | np.ndarray) for part in parts)


def _length(part) -> int:
    return part.dim() if isinstance(part, Tensor) else len(part)


def _within(x: Tensor, buffer: Tensor) -> bool:
    return x.untyped_storage().data_ptr() == buffer.untyped_storage().data_ptr()


@cache
def _name(func) -> str:
    """The name of a call."""
    return getattr(func, "__name__", "")


@cache
def _property(func) -> str:
    """The name of the property that a `__get__` is of."""
    return getattr(getattr(func, "__self__", None), "__name__", "")


def _are_there(args, kwargs) -> bool | None:
    """Whether a call is of tensors on the device, beside numbers and slices as most calls are.

    None where the rules of such calls do not tell.
    """
    if "pin_memory" in kwargs:
        return None
    there = here = False
    for x in (*args, *kwargs.values()) if kwargs else args:
        kind = type(x)
        if kind is OnDevice and x.dtype not in WORDS_ONLY:
            there = True
        elif kind is Tensor:
            here = True
        elif kind not in PLAIN and not (kind is tuple and PLAIN.issuperset(map(type, x))):
            return None
    if there and here:
        return None
    return there


def _tensors(arguments) -> list[Tensor]:
    """The tensors among arguments, and in lists of them."""
    found = []
    for x in arguments:
        if isinstance(x, Tensor):
            found.append(x)
        elif isinstance(x, (list, tuple)) and x and not isinstance(x[0], int):
            found += _tensors(x)
    return found


def _is_device(x: object) -> bool:
    if isinstance(x, torch.device):
        return x.type == "cuda"
    return isinstance(x, str) and x.startswith("cuda")


def _target(name, args, kwargs) -> str | None:
    """The device that a call names."""
    device = kwargs.get("device")
    if device is None and name == "to":
        device = next((a for a in args[1:] if isinstance(a, str | torch.device)), None)
    if device is None:
        return None
    return NAME if _is_device(device) else "cpu"


def _without_device(name, args, kwargs):
    """The call as the CPU takes it."""
    kwargs = dict(kwargs)
    if "device" in kwargs:
        kwargs["device"] = "cpu"
    if name == "to":
        args = tuple("cpu" if _is_device(a) else a for a in args)
    return args, kwargs
