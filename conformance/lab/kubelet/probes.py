"""Probes as a state machine: what to ask, when, and what the answers add up to. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

Json = dict[str, Any]

_QUICK_SECONDS = 0.05
_QUICK_TRIES = 7


class Kind(Enum):
    """Which promise of the container is asked for."""

    READINESS = "readiness"
    LIVENESS = "liveness"
    STARTUP = "startup"


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe of a container; seconds, and ``action`` as in the API (``exec``, ``httpGet`` or ``tcpSocket``)."""

    kind: Kind
    action: Json
    initial_delay: float = 0.0
    period: float = 10.0
    timeout: float = 1.0
    success_threshold: int = 1
    failure_threshold: int = 3
    grace_period: int | None = None

    @classmethod
    def of(cls, container: Json, kind: Kind) -> Probe | None:
        """The container's probe of that kind, with the API's defaults; None when it has none."""
        spec = container.get(f"{kind.value}Probe")
        if not spec:
            return None
        return cls(
            kind,
            {name: spec[name] for name in ("exec", "httpGet", "tcpSocket") if name in spec},
            float(spec.get("initialDelaySeconds") or 0),
            float(spec.get("periodSeconds") or 10),
            float(spec.get("timeoutSeconds") or 1),
            int(spec.get("successThreshold") or 1),
            int(spec.get("failureThreshold") or 3),
            spec.get("terminationGracePeriodSeconds"),
        )

    def delay(self, tries: int, *, succeeded_once: bool) -> float:
        """Seconds from try number ``tries`` (1, 2, ...) to the next.

        A readiness or startup probe that has not succeeded yet is asked again quickly a few times: nobody should wait
        ten seconds because a process took fifty milliseconds to listen. Extra failures of a startup probe do not count.
        """
        if self.kind is Kind.LIVENESS or succeeded_once or tries > _QUICK_TRIES:
            return self.period
        return min(self.period, _QUICK_SECONDS * 2.0 ** (tries - 1))

    def counts(self, tries: int, *, succeeded_once: bool) -> bool:
        """Whether a failure of this try counts towards the threshold: not when it was one of the quick ones."""
        return self.kind is Kind.READINESS or self.delay(tries, succeeded_once=succeeded_once) >= self.period


@dataclass(frozen=True, slots=True)
class Health:
    """What the answers so far add up to: ``ok`` and how many equal answers in a row contradict it."""

    ok: bool
    run: int = 0
    last: bool | None = None

    @classmethod
    def initial(cls, kind: Kind) -> Health:
        """Before the first answer a container is alive, not ready and not started."""
        return cls(ok=kind is Kind.LIVENESS)

    def after(self, success: bool, probe: Probe) -> Health:
        """With one more answer."""
        run = self.run + 1 if self.last is success else 1
        threshold = probe.success_threshold if success else probe.failure_threshold
        ok = success if run >= threshold else self.ok
        return replace(self, ok=ok, run=run, last=success)

    def failed(self, probe: Probe) -> bool:
        """Whether a liveness or startup probe now asks for the container to be killed."""
        return probe.kind is not Kind.READINESS and self.last is False and self.run >= probe.failure_threshold


def http_target(action: Json, container: Json, pod_ip: str) -> tuple[str, dict[str, str]]:
    """The URL and headers of an ``httpGet`` action; ``ValueError`` when its port has no number."""
    spec = action["httpGet"]
    host = spec.get("host") or pod_ip
    host = f"[{host}]" if ":" in host else host
    path = spec.get("path") or "/"
    path = path if path.startswith("/") else f"/{path}"
    headers = {"User-Agent": "kube-probe/1.36", "Accept": "*/*", "Connection": "close"}
    headers |= {header["name"]: header.get("value", "") for header in spec.get("httpHeaders") or ()}
    scheme = spec.get("scheme", "HTTP").lower()
    return f"{scheme}://{host}:{port_number(spec['port'], container)}{path}", headers


def port_number(port: int | str, container: Json) -> int:
    """A probe's port, by number or by the name of a container port; ``ValueError``."""
    if isinstance(port, int):
        return port
    if port.isdigit():
        return int(port)
    for entry in container.get("ports") or ():
        if entry.get("name") == port:
            return int(entry["containerPort"])
    raise ValueError(f"the container has no port named {port!r}")
