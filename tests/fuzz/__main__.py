"""`make fuzz`: changed bytes in every parser, FUZZ_SECONDS in all (600 where it is not set).

hypothesis changes sound inputs and shrinks a failure; atheris, where it is installed, follows the
branches of the code instead. FUZZ_SEED repeats a run, FUZZ_TARGETS names parsers, with commas.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy, binary, composite, integers, lists, sampled_from

from weightscope.errors import WeightscopeError

from .targets import SLOWEST, TARGETS, Target

EXAMPLES = 300  # of one round
PHASES = (Phase.generate, Phase.shrink)
EDITS = ("replace", "insert", "delete", "repeat", "flip", "cut")
ODD = (
    b"\x00",
    b"\xff",
    b"{",
    b"[",
    b'"',
    b"-1",
    b"9" * 25,
    b"\xf0\x9f\x98\x80",
    b"\\ud800",
    b"1e999",
)


@composite
def changed(draw, sources: tuple[bytes, ...]) -> bytes:
    """A sound input after a few edits."""
    data = draw(sampled_from(sources))
    for edit in draw(lists(sampled_from(EDITS), min_size=1, max_size=4)):
        at = draw(integers(0, len(data)))
        length = draw(integers(1, 16))
        text = draw(binary(min_size=1, max_size=8) | sampled_from(ODD))
        data = edited(data, edit, at, length, text)
    return data


def edited(data: bytes, edit: str, at: int, length: int, text: bytes) -> bytes:
    """The input after one edit at a position.

    >>> edited(b"abcdef", "delete", 1, 2, b""), edited(b"abc", "repeat", 1, 1, b"")
    (b'adef', b'abbbc')
    """
    before, part, after = data[:at], data[at : at + length], data[at + length :]
    if edit == "replace":
        return before + text + after
    if edit == "insert":
        return before + text + part + after
    if edit == "delete":
        return before + after
    if edit == "repeat":
        return before + part * 3 + after
    if edit == "flip":
        return before + bytes(byte ^ 1 << (at % 8) for byte in part) + after
    return before


def checked(target: Target, data: bytes, folder: Path) -> None:
    """Calls the parser; raises what is no WeightscopeError, and where it is slow."""
    begun = time.monotonic()
    with suppress(WeightscopeError):
        target.call(data, folder)
    seconds = time.monotonic() - begun
    if seconds > SLOWEST:
        raise AssertionError(f"{seconds:.1f} s for {len(data)} bytes")


def round_of(target: Target, folder: Path, number: int, until: float) -> int:
    """One round of hypothesis; returns the number of inputs."""
    strategy: SearchStrategy[bytes] = changed(target.seeds) | binary(max_size=64)
    count = 0

    @seed(number)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=PHASES,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def test(data: bytes) -> None:
        nonlocal count
        if time.monotonic() < until:
            count += 1
            checked(target, data, folder)

    test()
    return count


def followed(target: Target, folder: Path, seconds: float) -> None:
    """Fuzzing by branches in a child process, since atheris never returns."""
    atheris = import_module("atheris")
    child = os.fork()
    if not child:
        arguments = [sys.argv[0], f"-max_total_time={max(1, int(seconds))}"]
        atheris.Setup(arguments, lambda data: checked(target, data, folder))
        atheris.Fuzz()
    _, status = os.waitpid(child, 0)
    if status:
        raise AssertionError(f"atheris ended with {os.waitstatus_to_exitcode(status)}")


def has_atheris() -> bool:
    """Whether atheris is installed: it has no wheels for some versions of Python."""
    try:
        import_module("atheris")
    except ImportError:
        return False
    return True


def main() -> int:
    """Every target in turn; returns 1 where one failed."""
    seconds = float(os.environ.get("FUZZ_SECONDS", "600"))
    number = int(os.environ.get("FUZZ_SEED", str(int(time.time()))))
    names = os.environ.get("FUZZ_TARGETS", ",".join(TARGETS)).split(",")
    share = seconds / len(names)
    warnings.simplefilter("error")
    print(f"seed {number}, {share:.0f} s for each of {len(names)} parsers")
    failures = 0
    for name in names:
        failures += not is_sound(name, share, number)
    return int(failures > 0)


def is_sound(name: str, share: float, number: int) -> bool:
    """Fuzzes one target and prints a line; False where it failed."""
    begun = time.monotonic()
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            if has_atheris():
                share /= 2
                followed(TARGETS[name], Path(folder), share)
            until = time.monotonic() + share
            while time.monotonic() < until:
                count += round_of(TARGETS[name], Path(folder), number + count, until)
        except Exception as fault:  # the next parser is still tried
            print(f"{name}: FAILED: {type(fault).__name__}: {fault}")
            for note in getattr(fault, "__notes__", ()):
                print(f"  {note}")
            return False
    print(f"{name}: {count} inputs in {time.monotonic() - begun:.0f} s")
    return True


if __name__ == "__main__":
    sys.exit(main())
