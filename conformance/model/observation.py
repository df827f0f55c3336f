"""What was seen when a cell was dialled; no word about what it means."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum


class End(Enum):
    """How one dial ended, as the client's own kernel reported it."""

    ANSWERED = "answered"
    RST = "rst"  # TCP RST: the port is closed there
    ICMP = "icmp"  # an ICMP error naming its sender; type and code beside it
    TIMEOUT = "timeout"
    NO_ROUTE = "no-route"  # the client's own kernel had none
    CUT = "cut"  # the connection was made and then lost before the answer was whole
    GARBLED = "garbled"  # an answer came whole, but not to this question
    ERROR = "error"  # the dial could not be made (no socket, no such address family ...)


@dataclass(frozen=True, slots=True)
class IcmpError:
    """An ICMP (IPv4) or ICMPv6 error: type, code and the address that sent it.

    ``mtu`` is the one that an error about a packet's size tells; 0 otherwise.
    """

    type: int
    code: int
    sender: str
    mtu: int = 0


@dataclass(frozen=True, slots=True)
class Dial:
    """One dial, of ``port``. ``endpoint`` is the name the answering agent gave, ``source`` the client that it saw.

    ``at`` and ``took`` are seconds (monotonic clock of the agent); ``detail`` carries the errno's name or a DNS answer.
    ``retransmits``: TCP segments, SYNs among them, that the client's kernel sent again.
    """

    end: End
    endpoint: str = ""
    source: str = ""
    source_port: int = 0
    local: str = ""
    local_port: int = 0
    icmp: IcmpError | None = None
    at: float = 0.0
    took: float = 0.0
    detail: str = ""
    port: int = 0
    retransmits: int = 0


@dataclass(frozen=True, slots=True)
class Observation:
    """All dials of one cell, and whether a control address answered the same client just before and just after.

    ``again`` are the dials of the patient second round, empty if the first left no doubt. ``trouble`` says, in one
    sentence, why the cell could not be asked at all (exec stream cut, node gone ...).
    """

    dials: tuple[Dial, ...] = ()
    again: tuple[Dial, ...] = ()
    control_before: bool | None = None
    control_after: bool | None = None
    trouble: str = ""
    seconds: float = 0.0

    @property
    def decisive(self) -> tuple[Dial, ...]:
        """The dials to believe: the patient round where there was one."""
        return self.again or self.dials

    def ends(self) -> Counter[End]:
        """How often the decisive dials ended how."""
        return Counter(d.end for d in self.decisive)
