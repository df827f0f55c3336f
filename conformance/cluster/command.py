"""A program started by a command of this machine: ssh, docker exec, nsenter, or nothing but the program."""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import IO, cast
from urllib.parse import urlsplit

from conformance.cluster.stream import LineBuffer, StreamLost
from conformance.errors import UsageError

BOOTSTRAP = (
    "import os,sys;r=lambda n:os.read(0,n)or sys.exit(3);n=int(b''.join(iter(lambda:r(1),b'\\n')));s=b''\n"
    "while len(s)<n:s+=r(n-len(s))\n"
    "sys.argv=['agent.py']+sys.argv[1:];exec(compile(s,'agent.py','exec'))"
)
"""Reads a program's length and text from stdin and leaves the rest of stdin to it: nothing is installed over there."""

STALLED = 30.0
PARTING = 2.0
SSH_OPTIONS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5", "-T")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where a program runs: ``prefix`` are the words before it; ``shell`` when a shell over there parses the rest."""

    name: str
    prefix: tuple[str, ...] = ()
    shell: bool = False

    def argv(self, *program: str) -> list[str]:
        """The command of this machine that runs ``program`` there."""
        return [*self.prefix, shlex.join(program)] if self.shell else [*self.prefix, *program]


def elsewhere(text: str) -> Elsewhere:
    """``local``, ``exec:COMMAND PREFIX`` or ``ssh://[user@]host[:port]``; `UsageError` for anything else."""
    if text == "local":
        return Elsewhere("this machine")
    if text.startswith("exec:"):
        with contextlib.suppress(ValueError):
            prefix = tuple(shlex.split(text.removeprefix("exec:")))
            if prefix:
                return Elsewhere(f"'{shlex.join(prefix)}'", prefix)
    elif text.startswith("ssh://"):
        with contextlib.suppress(ValueError):
            url = urlsplit(text)
            if url.hostname and not url.hostname.startswith("-") and not url.password and url.path in ("", "/"):
                port = ("-p", str(url.port)) if url.port else ()
                user = ("-l", url.username) if url.username else ()
                return Elsewhere(f"ssh {url.hostname}", ("ssh", *SSH_OPTIONS, *port, *user, "--", url.hostname), True)
    raise UsageError(
        f"'{text}' names no place to dial from.",
        "Say local, exec:COMMAND PREFIX or ssh://user@host (keys, no password).",
    )


class CommandStream:
    """A `LineStream` over a child process."""

    def __init__(self, name: str, argv: list[str]) -> None:
        self.name = name
        self._buffer = LineBuffer()
        self._ended = False
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  its stderr, read when it fails; close() closes it
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
                bufsize=0,
                start_new_session=True,  # a Ctrl-C here is ours to handle: it closes the stream in order
            )
        except OSError as failure:
            self._words.close()
            raise StreamLost(
                f"{name}: cannot run '{argv[0]}': {failure.strerror}.",
                "Check the command prefix of the external client.",
            ) from failure
        self._in, self._out = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)
        os.set_blocking(self._in.fileno(), False)

    @classmethod
    def python(cls, where: Elsewhere, source: str, *arguments: str) -> CommandStream:
        """Run the Python program ``source`` with python3 over there; its text travels over stdin."""
        stream = cls(where.name, where.argv("python3", "-u", "-c", BOOTSTRAP, *arguments))
        program = source.encode()
        try:
            stream.write(b"%d\n" % len(program) + program)
        except StreamLost:
            stream.close()
            raise
        return stream

    def send(self, line: str) -> None:
        """See `LineStream`."""
        self.write(line.encode() + b"\n")

    def write(self, data: bytes) -> None:
        """Write ``data`` as it is; `StreamLost` when it is not taken."""
        view, deadline = memoryview(data), time.monotonic() + STALLED
        while view:
            try:
                view = view[os.write(self._in.fileno(), view) :]
            except BlockingIOError:
                if not _wait(self._in, select.POLLOUT, deadline):
                    raise self._lost(f"took no input for {STALLED:.0f} s") from None
            except (OSError, ValueError):  # ValueError: closed by us
                raise self._lost("ended") from None

    def receive(self, timeout: float) -> str | None:
        """See `LineStream`."""
        deadline = time.monotonic() + timeout
        while True:
            line = self._buffer.next()
            if line is not None:
                return line
            if self._ended or self._out.closed:
                raise self._lost("ended")
            if not _wait(self._out, select.POLLIN, deadline):
                return None
            data = os.read(self._out.fileno(), 1 << 16)
            self._buffer.feed(data)
            self._ended = not data

    def close(self) -> None:
        """See `LineStream`."""
        self._in.close()
        self._out.close()
        try:
            self._process.wait(PARTING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._words.close()

    def _lost(self, how: str) -> StreamLost:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(PARTING)
        said: list[str] = []
        if not self._words.closed:
            self._words.seek(0)
            said = self._words.read().decode("utf-8", "replace").strip().splitlines()
        code = self._process.returncode
        status = "" if code is None else f" with exit status {code}"
        words = f": {said[-1][:300]}" if said else ""
        return StreamLost(
            f"{self.name}: the dialling agent {how}{status}{words}.",
            "Check that python3 runs there and the place is up.",
        )


def _wait(pipe: IO[bytes], events: int, deadline: float) -> bool:
    """Whether ``pipe`` became ready before ``deadline``."""
    poll = select.poll()
    poll.register(pipe, events)
    return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))
