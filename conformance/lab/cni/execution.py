"""Running one plugin: found in the folders, told by environment and standard input, stopped when it hangs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.lab.cni.result import Failure, failure

Json = dict[str, Any]

_NOT_KILLED = 5.0


class PluginError(Exception):
    """A plugin did not do what it was told; ``plugin`` is its type, ``command`` as in CNI_COMMAND."""

    def __init__(self, plugin: str, command: str, why: Failure) -> None:
        super().__init__(f"CNI plugin {plugin} failed at {command}: {why}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """The parameters of a container: ``arguments`` is CNI_ARGS, ``namespace`` empty when it is gone."""

    container: str
    interface: str
    namespace: str
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Plugins:
    """The folders in which plugins are looked for, and how many seconds each has for an answer."""

    folders: tuple[str, ...]
    seconds: float = 60.0

    def find(self, kind: str) -> Path | None:
        """The program of plugin ``kind``: the first file of that name in the folders."""
        return next((path for folder in self.folders if (path := Path(folder, kind)).is_file()), None)

    async def run(self, kind: str, command: str, config: Json, attachment: Attachment | None = None) -> bytes:
        """What plugin ``kind`` prints when it is told ``command`` (ADD, CHECK, DEL, GC, STATUS); `PluginError`."""
        program = self.find(kind)
        if program is None:
            raise PluginError(kind, command, Failure(0, f"it is not in {', '.join(self.folders)}"))
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment(command, attachment),
                start_new_session=True,
            )
        except OSError as error:
            raise PluginError(kind, command, Failure(0, f"{program} cannot be run: {error.strerror}")) from error
        try:
            async with asyncio.timeout(self.seconds):
                output, errors = await process.communicate(json.dumps(config).encode())
        except TimeoutError as error:
            raise PluginError(kind, command, Failure(0, f"no answer within {self.seconds:g} s")) from error
        finally:
            await _ended(process)
        if process.returncode:
            raise PluginError(kind, command, failure(output, errors, process.returncode))
        return output

    def _environment(self, command: str, attachment: Attachment | None) -> dict[str, str]:
        plain = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        made = plain | {"CNI_COMMAND": command, "CNI_PATH": os.pathsep.join(self.folders)}
        if attachment is not None:
            made |= {"CNI_CONTAINERID": attachment.container, "CNI_IFNAME": attachment.interface}
            made |= {"CNI_NETNS": attachment.namespace, "CNI_ARGS": attachment.arguments}
        return made


async def _ended(process: asyncio.subprocess.Process) -> None:
    """With it ends what it has started: it leads a session of its own."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_NOT_KILLED):
                await process.wait()
