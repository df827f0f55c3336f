"""What the three processes of a lab tell each other: the order to start one, and how the start went."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from conformance.lab.cni.choice import Cni
from conformance.lab.real.choice import Real
from conformance.model.cluster import ProxyMode

Fault = Literal["environment", "lab"]


@dataclass(frozen=True, slots=True)
class Order:
    """Start a lab. The last four are descriptors: each process inherits those it needs.

    ``api`` listens on 127.0.0.1:``port``; ``lock`` holds the folder; whoever reads ``lifeline`` must go when it closes;
    ``report`` takes JSON lines. ``began`` is the monotonic clock of the launcher's start;
    ``bare`` asks for nodes and external clients without Kubernetes, ``real`` for a Kubernetes that is not embedded;
    ``proxy_mode`` is kube-proxy's mode, ``cni`` the pod network (None: the kubelets' own).
    """

    directory: str
    nodes: int
    port: int
    began: float
    user_namespace: bool
    bare: bool
    proxy_mode: ProxyMode
    real: Real | None
    cni: Cni | None
    api: int
    lock: int
    lifeline: int
    report: int

    @property
    def path(self) -> Path:
        """The lab's folder."""
        return Path(self.directory)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What a child must inherit."""
        return self.api, self.lock, self.lifeline, self.report

    def encode(self) -> str:
        """As one argument of a command line."""
        return json.dumps(asdict(self) | {"proxy_mode": self.proxy_mode.value})

    @classmethod
    def decode(cls, text: str) -> Order:
        """From `encode`."""
        given = json.loads(text)
        real = Real.decode(given["real"]) if given["real"] else None
        cni = Cni.decode(given["cni"]) if given["cni"] else None
        return cls(**given | {"proxy_mode": ProxyMode(given["proxy_mode"]), "real": real, "cni": cni})


def report_failure(fd: int, fault: Fault, cause: str, hint: str) -> None:
    """Tell the launcher why there will be no lab."""
    _send(fd, {"event": "failed", "fault": fault, "cause": cause, "hint": hint})


def report_progress(fd: int, text: str) -> None:
    """Tell the launcher what has been reached."""
    _send(fd, {"event": "progress", "text": text})


def report_ready(fd: int, seconds: float, summary: str) -> None:
    """Tell the launcher that the lab is ready."""
    _send(fd, {"event": "ready", "seconds": seconds, "summary": summary})


def _send(fd: int, message: dict[str, Any]) -> None:
    try:
        os.write(fd, json.dumps(message).encode() + b"\n")
    except BrokenPipeError:
        return  # nobody waits any more; the lifeline tells whether that matters
