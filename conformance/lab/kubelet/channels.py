"""The remote command protocol over WebSocket (``v4.channel.k8s.io``, ``v5.channel.k8s.io``). Pure.

A binary message is one byte, the channel, and its data. Version 5 adds 255: the channel whose number follows is closed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")


class Channel(IntEnum):
    """What the first byte of a message means."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    ERROR = 3
    RESIZE = 4
    CLOSE = 255


@dataclass(frozen=True, slots=True)
class Size:
    """A terminal's size in characters."""

    width: int
    height: int


def frame(channel: Channel, data: bytes) -> bytes:
    """One message."""
    return bytes((channel,)) + data


def parse_size(data: bytes) -> Size | None:
    """The size in a resize message; None when it is not one."""
    try:
        document = json.loads(data)
        width, height = int(document["Width"]), int(document["Height"])
    except (ValueError, KeyError, TypeError):
        return None
    return Size(width, height) if 0 <= width < 65536 and 0 <= height < 65536 else None


def exit_status(code: int) -> dict[str, Any]:
    """The ``Status`` for the error channel after the process ended with Python's return ``code``."""
    number = 128 - code if code < 0 else code
    if number == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: error executing command, exit code {number}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(number)}]},
    }


def failure_status(message: str) -> dict[str, Any]:
    """The ``Status`` for the error channel when the process could not be run."""
    return {
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": "InternalError",
        "details": {"causes": [{"message": message}]},
        "code": 500,
    }
