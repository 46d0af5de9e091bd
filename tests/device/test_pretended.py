"""The pretended device refuses what CUDA refuses, and sees what the host waits for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.device import streams
from tests.device.pretended import NAME, Log, OnDevice, Pretended, Refused
from weightscope.sending import sent


def there(*numbers: float) -> torch.Tensor:
    return torch.tensor(numbers, device=NAME)


HOST = torch.arange(3.0)
INDEX = torch.tensor([2, 0])
REFUSED: dict[str, Callable[[], object]] = {
    "a sum of both": lambda: there(1, 2, 3) + HOST,
    "both in one tensor": lambda: torch.stack((there(1, 2, 3)[0], HOST[0])),
    "an array": lambda: there(1, 2).numpy(),
    "host values by an index": lambda: there(1, 2, 3).__setitem__(INDEX, HOST[:2]),
    "host values by a mask": lambda: there(1, 2, 3).__setitem__(there(1, 2, 3) > 1, HOST[:2]),
    "device values in a host tensor": lambda: HOST.clone().__setitem__(0, there(1)[0]),
    "a host tensor by a device index": lambda: HOST[there(1).long()],
    "an integer product": lambda: there(1, 2).long() @ there(1, 2).long(),
    "a sum of unsigned words": lambda: there(1, 2).to(torch.uint16).sum(),
    "a copy from plain memory without a wait": lambda: there(1, 2, 3).copy_(
        HOST, non_blocking=True
    ),
    "pinned memory of another device": lambda: torch.empty(3, pin_memory=True),
}
WAITS: dict[str, Callable[[], object]] = {
    "number": lambda: float(there(1)),
    "choice": lambda: bool(there(1)),
    "list": lambda: there(1, 2).tolist(),
    "copy": lambda: there(1, 2).cpu(),
    "mask": lambda: there(1, 2)[there(1, 2) > 1],
    "positions": lambda: there(1, 2).nonzero(),
    "distinct": lambda: there(1, 2).unique(),
    "comparison": lambda: torch.equal(there(1), there(2)),
}


UPLOADS: dict[str, Callable[[], object]] = {
    "a tensor": lambda: HOST.to(NAME),
    "numbers": lambda: torch.tensor([1.0, 2.0], device=NAME),
    "values": lambda: there(1, 2, 3).copy_(HOST),
    "values of a slice": lambda: there(1, 2, 3).__setitem__(slice(1, 3), HOST[:2]),
    "an index": lambda: there(1, 2, 3)[INDEX],
    "a list as an index": lambda: there(1, 2, 3)[[2, 0]],
    "a list beside slices": lambda: there(1, 2, 3)[None, [2, 0]],
    "an array as an index": lambda: there(1, 2, 3)[np.array([2, 0])],
    "a list to assign by": lambda: there(1, 2, 3).__setitem__([2, 0], 5.0),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_what_cuda_refuses_is_refused(call) -> None:
    """And written down, for code that catches the error."""
    log = Log()
    with Pretended(log, streams), pytest.raises(Refused):
        call()
    assert len(log.refused) == 1


@pytest.mark.parametrize("call", WAITS.values(), ids=WAITS)
def test_waits_are_counted(call) -> None:
    """Each once."""
    log = Log()
    with Pretended(log, streams):
        call()
    assert (log.waited, log.refused) == (1, [])


@pytest.mark.parametrize("call", UPLOADS.values(), ids=UPLOADS)
def test_uploads_from_memory_that_is_not_pinned_are_counted(call) -> None:
    """Each once, beside the tensor that is made there; none is one of the package."""
    log, of_target = Log(), Log()
    with Pretended(of_target, streams):
        there(1, 2, 3)
    with Pretended(log, streams):
        call()
    made = 0 if call in (UPLOADS["a tensor"], UPLOADS["numbers"]) else of_target.uploads.total()
    assert log.uploads.total() - made == 1
    assert (log.uploaded, log.waited, log.refused) == (0, 0, [])


def test_what_is_sent_is_a_copy_from_pinned_memory() -> None:
    """In the same layout, without a wait; what is there already is not sent again."""
    log = Log()
    streams.set_device(NAME)
    try:
        with Pretended(log, streams):
            x = torch.arange(12.0).view(3, 4).mT
            found = sent(x, NAME)
            assert isinstance(found, OnDevice)
            assert found.stride() == x.stride()
            assert sent(found, NAME) is found
            assert len(sent(x[:0], NAME)) == 0
            assert (log.copied, log.uploads, log.waited) == (1, {}, 0)
            assert found.cpu().tolist() == x.tolist()
    finally:
        streams.set_device("cuda:0")
    assert sent(x, "cpu") is x


def test_what_cuda_takes_is_taken() -> None:
    """Numbers of the host beside tensors, slices of host values, an index of the host."""
    log = Log()
    with Pretended(log, streams):
        x = there(1.0, 2.0, 3.0)
        x += HOST[1]
        x[1:] = HOST[:2]
        x[INDEX] = 5.0
        assert isinstance(x, OnDevice)
        assert str(x.device) == NAME
        assert isinstance(x.mT if x.dim() > 1 else x[INDEX], OnDevice)
        host = x.cpu()
    assert host.tolist() == [5.0, 0.0, 5.0]
    assert not isinstance(host, OnDevice)
    assert log.refused == []
    assert log.waited == 1


def test_a_copy_without_a_wait_comes_late() -> None:
    """Bytes that change before anything waits for the copy are those that arrive."""
    log = Log()
    streams.set_device(NAME)
    try:
        with Pretended(log, streams):
            pinned = torch.empty(2, pin_memory=True).fill_(1.0)
            x, beside, event = torch.zeros(2, device=NAME), streams.Stream(NAME), streams.Event()
            with streams.stream(beside):
                x.copy_(pinned, non_blocking=True)
                event.record(beside)
            pinned.fill_(2.0)
            assert x.cpu().tolist() == [0.0, 0.0]
            streams.current_stream().wait_event(event)
            assert x.cpu().tolist() == [2.0, 2.0]
    finally:
        streams.set_device("cuda:0")
