"""The program in processes of its own that begin with its imports done.

A process that has imported the command line waits for requests, and each command is a fork of it.
The fork's streams, environment and signals are those of a new process, and it ends as one does:
Python flushes the streams, and tells what cannot be written.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from functools import cache

REQUEST = 1 << 20  # bytes
LONGEST = 60  # seconds of a command
# typer reads it when it is imported: a shell is named, and not looked for among the callers
NAMED_SHELL = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
LOST = "the process that makes copies has ended"
SERVE = f"""
import json, os, signal, socket, sys
from weightscope.cli.app import run
run(["ls", "demo:gpt", "-q"])  # what a command imports
sys.stdout.flush()
requests = socket.socket(fileno=int(sys.argv[1]))
while True:
    text, descriptors, _, _ = socket.recv_fds(requests, {REQUEST}, 2)
    if not text:
        sys.exit()
    child = os.fork()
    if not child:
        break
    for descriptor in descriptors:
        os.close(descriptor)
    requests.send(str(child).encode())
    _, status = os.waitpid(child, 0)
    requests.send(str(os.waitstatus_to_exitcode(status)).encode())
requests.close()
for stream, descriptor in enumerate(descriptors, 1):
    os.dup2(descriptor, stream)
    os.close(descriptor)
request = json.loads(text)
os.chdir(request["folder"])
os.environ.clear()
os.environ.update(request["environment"])
signal.alarm({LONGEST})
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["weightscope", *request["arguments"]]
from weightscope.__main__ import main
main()
"""


@cache
def copies():
    """One for all tests of a process."""
    made = Copies()
    atexit.register(made.close)
    return made


class Copies:
    """The process that waits; call it with the arguments of a command."""

    def __init__(self):
        self.requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.requests.settimeout(2 * LONGEST)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdout=subprocess.DEVNULL,
                env=few_variables() | NAMED_SHELL,
            )

    def __call__(self, *arguments, env=None, stdout, stderr):
        """A copy that runs a command; the keywords are as of subprocess.Popen, in text."""
        request = {
            "arguments": list(map(str, arguments)),
            "environment": few_variables() | (env or {}),
            "folder": os.getcwd(),
        }
        with ExitStack() as closed:
            ends = [_ends(stream, closed) for stream in (stdout, stderr)]
            theirs = [writing for _, writing in ends]
            socket.send_fds(self.requests, [json.dumps(request).encode()], theirs)
        return Copy(self.requests, *(reading for reading, _ in ends))

    def close(self):
        """Ends it."""
        self.requests.close()
        self.process.wait(LONGEST)


class Copy:
    """A command that runs, as much like a Popen as the tests need."""

    def __init__(self, requests, stdout, stderr):
        self.requests, self.stdout, self.stderr = requests, stdout, stderr
        self.pid = self._number()
        self.returncode = None

    def communicate(self):
        """What it writes, at its end."""
        written = [stream.read() if stream else None for stream in (self.stdout, self.stderr)]
        self.wait()
        return tuple(written)

    def wait(self):
        """Its exit code; after the last one another command may begin."""
        self.returncode = self._number()
        for stream in filter(None, (self.stdout, self.stderr)):
            stream.close()
        return self.returncode

    def send_signal(self, number):
        """As from a terminal."""
        os.kill(self.pid, number)

    def _number(self):
        text = self.requests.recv(REQUEST)
        assert text, LOST
        return int(text)


def few_variables():
    """Of the tests' environment."""
    return {"OMP_NUM_THREADS": "1", "PATH": os.environ["PATH"]}


def _ends(stream, closed):
    """Our end of a stream if it is a pipe, and the descriptor that a command writes to."""
    if stream == subprocess.PIPE:
        ours, theirs = os.pipe()
        closed.callback(os.close, theirs)
        return open(ours, encoding="utf-8"), theirs
    if stream == subprocess.DEVNULL:
        null = os.open(os.devnull, os.O_WRONLY)
        closed.callback(os.close, null)
        return None, null
    return None, stream if isinstance(stream, int) else stream.fileno()
