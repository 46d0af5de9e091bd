"""The pretended device refuses what CUDA refuses, and sees what the host waits for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from tests.device import streams
from tests.device.pretended import NAME, Log, OnDevice, Pretended, Refused


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
