"""What the agent knows about a pod it runs, as values; ``status`` turns them into the API's words."""

from __future__ import annotations

from dataclasses import dataclass

RUNTIME = "nftconform-lab"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not running, for ``reason``."""

    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """Running since ``started_at`` (API time)."""

    started_at: str


@dataclass(frozen=True, slots=True)
class Terminated:
    """Ended; ``signal`` is 0 when it exited of itself."""

    exit_code: int
    signal: int
    reason: str
    started_at: str
    finished_at: str
    container_id: str
    message: str = ""


State = Waiting | Running | Terminated


@dataclass(frozen=True, slots=True)
class ContainerRecord:
    """One container: its present state and the end of its previous life."""

    name: str
    state: State
    last: Terminated | None = None
    restart_count: int = 0
    ready: bool = False
    started: bool = False
    container_id: str = ""


@dataclass(frozen=True, slots=True)
class PodRecord:
    """One pod. ``initialized`` once every init container has done its part; ``ended`` once nothing will run again."""

    start_time: str
    host_ips: tuple[str, ...]
    pod_ips: tuple[str, ...] = ()
    sandbox: bool = False
    initialized: bool = False
    ended: bool = False
    init_containers: tuple[ContainerRecord, ...] = ()
    containers: tuple[ContainerRecord, ...] = ()


def terminated(code: int, started_at: str, finished_at: str, container_id: str) -> Terminated:
    """The end of a process with Python's return ``code`` (negative: the signal), in a runtime's words."""
    number = -code if code < 0 else 0
    exit_code = 128 + number if number else code
    reason = "Completed" if exit_code == 0 else "Error"
    return Terminated(exit_code, number, reason, started_at, finished_at, container_id)
