"""What to dial, how often and how; no word about what should happen."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from conformance.model.addresses import Family, Protocol
from conformance.model.client import Destination
from conformance.probe.names import over_tcp, question

CONTROL_SECONDS = 2.0
"""Longest a control dial takes (``CONTROL_TIMEOUT`` of the agent)."""

PATIENT_TIMEOUT = 3.0
PATIENT_PACE = 0.05


class Transport(Enum):
    """What a dial speaks."""

    TCP = "TCP"
    UDP = "UDP"
    HTTP = "HTTP"  # GET; the answer's status, headers and body come back in ``Dial.detail`` as JSON
    ICMP = "ICMP"  # echo
    SCTP = "SCTP"  # an INIT and its INIT ACK, without the kernel's SCTP
    WIRE = "WIRE"  # no dial: a watch over what leaves the host; see `DialRequest.watch`

    @classmethod
    def of(cls, protocol: Protocol) -> Transport:
        """The transport that speaks to a Service port of ``protocol``."""
        return cls(protocol.value)


@dataclass(frozen=True, slots=True)
class DialRequest:
    """``count`` dials of one address; times in seconds.

    At most ``parallel`` dials are under way at once, ``pace`` lies between two starts, ``timeout`` ends one.
    ``schedule`` replaces all of these but the time-out: one dial for each (offset, port), begun that long after the
    request, to that port (0: ``port``); offsets ascend. ``source_port`` 0 is a new one each time. ``size``: bytes of
    the kit's own question, which the answer repeats. ``payload`` (bytes) is sent instead of that question, over TCP
    with DNS's two bytes of length; ``Dial.detail`` is then the answer in hex. ``fits``: a datagram as large as the path
    takes in one piece, which nobody may cut; it is sent again when a router says that it was too big. ``too_big``: the
    agent that answers is to send an ICMP error that tells this MTU, as such a router would.

    ``flow``: all on one connection or UDP socket, one after the other. ``keep``: that socket stays open under this
    name, and the next flow with this name to the same address goes on with it (the first one opens it), until one
    says ``release`` or it breaks: a connection at anything but an answer, a UDP flow when it cannot send. ``patience``
    takes the place of a shorter time-out until a question of the flow has stayed unanswered.
    """

    key: str
    ip: str
    port: int
    transport: Transport = Transport.TCP
    count: int = 1
    parallel: int = 8
    pace: float = 0.0
    timeout: float = 1.0
    schedule: tuple[tuple[float, int], ...] = ()
    flow: bool = False
    keep: str = ""
    release: bool = False
    patience: float = 0.0
    source_port: int = 0
    bind: str = ""
    payload: bytes = b""
    size: int = 0
    fits: bool = False
    too_big: int = 0
    path: str = "/"
    networks: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """``count`` is that of the schedule; ``ValueError`` for what contradicts itself."""
        if self.schedule:
            object.__setattr__(self, "count", len(self.schedule))
        if any(later[0] < sooner[0] for sooner, later in itertools.pairwise(self.schedule)):
            raise ValueError("the offsets of a schedule ascend")
        if self.schedule and self.flow:
            raise ValueError("a flow has no schedule")
        if self.keep and not (self.flow and self.transport in (Transport.TCP, Transport.UDP)):
            raise ValueError("only a flow over TCP or UDP can be kept")

    @classmethod
    def to(cls, destination: Destination, key: str, count: int, *, parallel: int = 8) -> DialRequest:
        """``count`` quick dials of a Service's address."""
        transport = Transport.of(destination.protocol)
        return cls(key, destination.ip, destination.port, transport, count=count, parallel=parallel)

    @classmethod
    def lookup(
        cls,
        key: str,
        server: str,
        name: str,
        kind: str,
        transport: Transport = Transport.UDP,
        *,
        count: int = 1,
        port: int = 53,
    ) -> DialRequest:
        """Ask a DNS server for the records of ``kind`` at ``name``; `answers.named` puts its answers into words."""
        asked = question(name, kind)
        payload = over_tcp(asked) if transport is Transport.TCP else asked
        return cls(key, server, port, transport, count=count, payload=payload)

    @classmethod
    def watch(cls, key: str, networks: Iterable[str], seconds: float, interfaces: Iterable[str] = ()) -> DialRequest:
        """Watch for packets that leave the host for ``networks`` (CIDRs), for so long; it has no control dials.

        One dial: ``TIMEOUT`` when there were none, else ``ANSWERED`` with a ``Dial.detail`` of JSON: ``packets``, how
        many, and ``seen``, the first ten's device, source, destination, protocol and port. Watched are ``interfaces``,
        by default the devices of the default routes.
        """
        return cls(
            key,
            "0.0.0.0",
            0,
            Transport.WIRE,
            timeout=seconds,
            networks=tuple(networks),
            interfaces=tuple(interfaces),
        )

    @property
    def family(self) -> Family:
        """The family of ``ip``."""
        return Family.of(self.ip)

    @property
    def repeatable(self) -> bool:
        """Whether it can be made again when its answer was lost: a flow or a schedule may have left its traces, and
        what a watch was for has passed by.
        """
        return not (self.flow or self.schedule or self.transport is Transport.WIRE)

    @property
    def longest(self) -> float:
        """Seconds after its first packet by which the last of its dials has ended, whatever happens."""
        if self.schedule:
            return self.schedule[-1][0] + self.timeout
        if self.flow:
            return self.count * (self.timeout + self.pace) + self.patience
        return math.ceil(self.count / self.parallel) * self.timeout + self.count * self.pace

    def patient(self, *, paced: bool = True) -> DialRequest:
        """The same dials, gently: paced below any sane ICMP rate limit's burst, with time for a SYN to be sent again.

        That is after a second, and since Linux 6.5 (``net.ipv4.tcp_syn_linear_timeouts``) after two as well.
        """
        timeout = max(self.timeout, PATIENT_TIMEOUT)
        if self.schedule or self.transport is Transport.WIRE or not paced:
            return replace(self, timeout=timeout)
        parallel = 1 if self.parallel == 1 else self.count
        pace = max(self.pace, PATIENT_PACE)
        return replace(self, parallel=parallel, pace=pace, timeout=timeout)

    def message(self, number: str, control: tuple[str, int] | None) -> dict[str, Any]:
        """The agent's form of it, which answers by ``number``."""
        ask: dict[str, Any] = {
            "id": number,
            "ip": self.ip,
            "port": self.port,
            "proto": self.transport.value,
            "count": self.count,
            "parallel": self.parallel,
            "pace": self.pace,
            "timeout": self.timeout,
            "path": self.path,
        }
        if self.transport is Transport.WIRE:
            ask |= {"networks": list(self.networks), "interfaces": list(self.interfaces)}
        elif control:
            ask["control"] = list(control)
        if self.schedule:
            ask["schedule"] = [list(slot) for slot in self.schedule]
        if self.flow:
            ask |= {"flow": True, "keep": self.keep, "release": self.release, "patience": self.patience}
        if self.size:
            ask["size"] = self.size
        if self.fits or self.too_big:
            ask |= {"fits": self.fits, "too_big": self.too_big}
        if self.source_port or self.bind:
            ask |= {"source_port": self.source_port, "bind": self.bind}
        if self.payload:
            ask["payload"] = self.payload.hex()
        return ask
