"""The way that a packet took through the rules of a node, as the kernel told it."""

from __future__ import annotations

from dataclasses import dataclass

ACCEPT, DROP = "accept", "drop"
READY, DONE = BEACONS = 9, 10
"""Ports of the loopback address: a datagram to one of them that is traced shows that the trace has come so far."""
ASKED, ANSWERED, LAST = "asked-", "answered-", "last-"
"""What the names of our own chains begin with: those that mark dials and their answers, and those of the end, of which
each shows that a packet has passed everybody's rules on its hook.
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A rule that matched in ``chain``, and what it decided; the chain's policy where ``rule`` is empty."""

    chain: str
    rule: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Passage:
    """The way through one base chain of ``table`` (``ip kube-proxy``), and the packet as it came into it.

    ``source`` and ``destination`` are addresses, ports 0 where there are none; ``iif`` and ``oif`` empty where unknown.
    ``note`` is what else tells packets apart: TCP's flags, an ICMP type. ``end`` is the last verdict (`ACCEPT`,
    `DROP`), empty where the trace breaks off.
    """

    table: str
    chain: str
    source: str
    source_port: int
    destination: str
    port: int
    iif: str = ""
    oif: str = ""
    note: str = ""
    steps: tuple[Step, ...] = ()
    end: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """One packet on one node, base chain by base chain in the order in which it came by them."""

    node: str
    passages: tuple[Passage, ...]

    @property
    def whole(self) -> bool:
        """Whether it was seen to pass all rules of the last hook: it was handed on, to a process or to a wire."""
        return self.last.chain.startswith((f"{LAST}input", f"{LAST}postrouting"))

    @property
    def first(self) -> Passage:
        """As it was seen first."""
        return self.passages[0]

    @property
    def last(self) -> Passage:
        """As it was seen last."""
        return self.passages[-1]


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where a dial went another way than expected, in a sentence; ``way`` and ``passage`` count from 0, -1: nowhere."""

    sentence: str = ""
    way: int = -1
    passage: int = -1
