"""The checks of the pretended device on a real one: refusals, waits, numbers, digits, memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from unittest import mock

import torch

from tests.device import hardware, timing
from tests.device.cases import every
from tests.device.files import in_files
from tests.device.pretended import Log
from tests.device.taking import differences, on_cpu, on_device, on_real
from tests.engine.conftest import AGAIN, PASSING, sketches, tensors, unit
from weightscope.engine import Executor, Measured, Meter, Unit, choose, device, plan
from weightscope.engine.exact import exact_products
from weightscope.sketches import Count, Decompose, MarginSums, balanced

FEW = 3  # differences of one case that are written
TILE = 4096  # elements, so that small tensors are cut as large ones are
SWEEPS = 3  # of a matrix that would take two hundred
RUNS = ((1, None), (4, 1 << 30), (2, 64 << 20))  # threads, --memory
BUDGETS = (64, 14, 8, 3)  # MiB of --memory, from all on the device to little
SHAPES = ((8, 12), *4 * ((160, 100),), *12 * ((60, 50),), (8, 12))
LARGE = (4096, 2048)  # float32, more than ROOM
ROOM = 64 << 20
STACKS = ((2048, 1024), (640, 640))  # of which six fill the budget
SIDE = 512  # of products that TF32 would round
EXACT = 1e-5  # of float32, relative: TF32 has errors of 1e-3


@dataclass
class Answer:
    """What a check has found."""

    failures: list[str] = field(default_factory=list)
    figures: dict[str, object] = field(default_factory=dict)


def told(error: BaseException) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0]


def measures(name: str) -> Answer:
    """Each measure of each type: no refusal, few waits, the numbers of the CPU."""
    answer = Answer()
    most: dict[str, int] = {}
    for measure, stacks in every():
        types = "/".join(dtype for _, dtype in stacks.values())
        try:
            found, waited = _compared(measure, stacks, name)
        except Exception as error:
            found, waited = [told(error)], 0
        answer.failures += [f"{measure} of {types}: {one}" for one in found[:FEW]]
        kind = type(measure).__name__
        most[kind] = max(most.get(kind, 0), waited)
    answer.figures["waits"] = most
    return answer


def _compared(measure, stacks, name: str) -> tuple[list[str], int]:
    """(where a measure differs from the CPU, or waits more than pretended; its waits)."""
    here = on_cpu(measure, stacks)
    log = Log()
    hardware.forget_tables()
    on_device(measure, stacks, log)
    hardware.forget_tables()
    with hardware.waits() as counted:
        there = on_real(measure, stacks, name)
    found = differences(here, there)
    most = log.waited + sum(log.uploads.values())
    if counted.total() > most:
        found.append(f"{counted.total()} waits, pretended are {most}: {dict(counted)}")
    return found, counted.total()


def digits(name: str) -> Answer:
    """Neither --threads nor --memory changes a stack or a digit; counts are those of the CPU."""
    answer = Answer()
    with _small_tiles(), tempfile.TemporaryDirectory() as folder:
        entries = in_files(Path(folder), tensors())
        for label, wants in (("one pass", PASSING), ("passes", AGAIN)):
            units = [unit(i, entry, wants) for i, entry in enumerate(entries)]
            answer.failures += [f"{label}: {one}" for one in _unequal(units, name)]
    return answer


def _unequal(units: Sequence[Unit], name: str) -> Iterator[str]:
    here = measured(units, "cpu", 1, 1 << 28)
    first = None
    for threads, memory in RUNS:
        meter = Meter()
        there = measured(units, name, threads, memory, meter)
        plans = [why.replace("held for its passes", "streamed in 1 run") for why in meter.plans]
        found = (sketches(there), plans)
        first = first or found
        if found[0] != first[0]:
            yield f"other digits with --threads {threads} --memory {memory}"
        if found[1] != first[1]:
            yield f"other stacks with --threads {threads} --memory {memory}"
        for one, other in zip(here, there, strict=True):
            if other.note or other.moved:
                yield f"{other.unit.key}: {other.note or other.moved}"
            different = differences(dict(one.sketches[""]), dict(other.sketches[""]))
            yield from (f"{other.unit.key}: {what}" for what in different[:FEW])


def moves(name: str) -> Answer:
    """A row has the digits of the device, or those of the CPU with the note, by --memory alone."""
    answer = Answer()
    generator = torch.Generator().manual_seed(0)
    some = [torch.randn(shape, generator=generator) for shape in SHAPES]
    wants = frozenset({Count(), MarginSums(), Decompose()})
    moved: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        entries = in_files(Path(folder), some)
        units = [unit(i, entry, wants) for i, entry in enumerate(entries)]
        here = sketches(measured(units, "cpu", 1, BUDGETS[0] << 20))
        there = sketches(measured(units, name, 1, BUDGETS[0] << 20))
        for budget in BUDGETS:
            places = []
            for threads in (1, 3):
                rows = measured(units, name, threads, budget << 20)
                places.append([bool(row.moved) for row in rows])
                for i, (row, found) in enumerate(zip(rows, sketches(rows), strict=True)):
                    if found != (here if row.moved else there)[i]:
                        answer.failures.append(f"row {i} with {budget} MiB: digits of neither")
            if places[0] != places[1]:
                answer.failures.append(f"--threads moves rows with {budget} MiB")
            moved[f"{budget} MiB"] = sum(places[0])
    if not 0 == moved[f"{BUDGETS[0]} MiB"] < moved[f"{BUDGETS[-1]} MiB"]:
        answer.failures.append(f"rows that move: {moved}")
    answer.figures["moved"] = moved
    return answer


def retry(name: str) -> Answer:
    """What the device has no memory for is measured by the CPU, with its digits and a note."""
    answer = Answer()
    with tempfile.TemporaryDirectory() as folder:
        entries = in_files(Path(folder), [torch.randn(LARGE), torch.randn(8, 9)])
        units = [unit(i, entry, frozenset({Count()})) for i, entry in enumerate(entries)]
        here = measured(units, "cpu", 1, 1 << 30)
        with hardware.room(name, ROOM):
            there = measured(units, name, 1, 16 << 30)
        again = measured(units, name, 1, 16 << 30)
    if "ran out of memory" not in there[0].moved:
        answer.failures.append(f"no retry: {there[0].moved or 'measured on the device'}")
    if sketches(there)[0] != sketches(here)[0]:
        answer.failures.append("other digits than those of the CPU")
    for row in (there[1], *again):
        if row.moved:
            answer.failures.append(f"{row.unit.key}: {row.moved}")
    return answer


def memory(name: str) -> Answer:
    """The peak of the device and pinned memory is within the least --memory that is accepted."""
    answer = Answer()
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        for shape in STACKS:
            entries = in_files(Path(folder), [torch.randn(shape) for _ in range(6)])
            for label, wants in (("one pass", PASSING), ("Gram", frozenset({Decompose()}))):
                units = [unit(i, entry, wants) for i, entry in enumerate(entries)]
                need = least(units, name)
                measured(units, name, 1, need)  # the libraries take their own memory
                with hardware.peaks(name) as peak:
                    rows = measured(units, name, 1, need)
                case = f"{label} of {shape[0]}x{shape[1]}"
                taken.append({"case": case, "budget": need, **peak})
                if sum(peak.values()) > need:
                    answer.failures.append(f"{case}: budget {need}, taken {peak}")
                answer.failures += [f"{case}: {row.moved}" for row in rows if row.moved]
    answer.figures["taken"] = taken
    return answer


def least(units: Sequence[Unit], name: str) -> int:
    """The least budget with which the device takes all batches."""
    batches = plan(units, device.Device(name, 1, 1, ""))
    return max(need for batch in batches for need in batch.refused.values())


def products(name: str) -> Answer:
    """Float32 products have all digits, though the caller has allowed TF32."""
    x = torch.randn(SIDE, SIDE, device=name)
    expected = x.double() @ x.double()
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        allowed = _error(x @ x, expected)
        with exact_products():
            exact = _error(x @ x, expected)
    finally:
        torch.set_float32_matmul_precision(before)
    answer = Answer(figures={"error": exact, "error_with_tf32": allowed})
    if exact > EXACT:
        answer.failures.append(f"error of a product {exact:.1e}, of exact ones {EXACT:.0e}")
    return answer


def _error(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found.double() - expected).abs().max() / expected.abs().max())


def speed(name: str) -> Answer:
    """Rates of the device, and seconds and shares of each step."""
    can = timing.rates(name)
    steps = timing.lines(name, can)
    failed = [f"{one['step']} of {one['shape']}: {one['error']}" for one in steps if "error" in one]
    return Answer(failed, {**asdict(can), "steps": steps})


def measured(
    units: Sequence[Unit], name: str, threads: int, memory: int | None, meter: Meter | None = None
) -> list[Measured]:
    """The results of a run, without values."""
    chosen = choose(name, memory, threads)
    with mock.patch.object(balanced, "SWEEPS", SWEEPS):
        return list(Executor(chosen, meter or Meter())(units, lambda one: {}))


def _small_tiles():
    return mock.patch.object(device, "TILE_GPU", TILE)


CHECKS: dict[str, Callable[[str], Answer]] = {
    "measures": measures,
    "digits": digits,
    "moves": moves,
    "retry": retry,
    "memory": memory,
    "products": products,
    "speed": speed,
}
