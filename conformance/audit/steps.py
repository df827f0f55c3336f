"""What a rule does, step by step, in a form in which rules that mean the same are equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Match:
    """Goes on only where ``subject`` (``ip saddr``) is one of ``values``: words, networks, or ``@set``."""

    subject: str
    values: frozenset[str]
    negated: bool = False

    @property
    def inverse(self) -> Match:
        """The match of all other packets."""
        return Match(self.subject, self.values, not self.negated)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``accept``, ``drop``, ``return``, ``continue``; ``jump`` or ``goto`` a chain; ``reject`` with an ICMP code."""

    kind: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Translate:
    """Destination NAT to one address and port, 0 where the port is kept."""

    ip: str
    port: int


@dataclass(frozen=True, slots=True)
class Pick:
    """One of ``options`` by ``numgen <mode> mod <mod> offset <offset>``; a number without an option goes on."""

    mode: str
    mod: int
    offset: int
    options: tuple[tuple[int, Verdict | Translate], ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """The verdict of the map ``container`` for ``key`` (``ip daddr . meta l4proto . th dport``)."""

    key: str
    container: str


@dataclass(frozen=True, slots=True)
class Mark:
    """The packet's mark, changed by ``operator`` (``|``, ``^``, ``&``) and ``mask``."""

    operator: str
    mask: int


@dataclass(frozen=True, slots=True)
class Masquerade:
    """Source NAT to the node's own address."""

    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Remember:
    """Puts ``key`` into the set ``container``; ``update`` starts its time anew, ``add`` does not."""

    operation: str
    container: str
    key: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that kube-proxy never writes, as JSON."""

    text: str


Step: TypeAlias = Match | Verdict | Translate | Pick | Lookup | Mark | Masquerade | Remember | Unknown
Rule: TypeAlias = tuple[Step, ...]


def told(rule: Rule) -> str:
    """The rule in words much like nft's."""
    return " ".join(map(_told, rule)) or "(nothing)"


def targets(rule: Rule) -> set[str]:
    """The chains that the rule may go to."""
    found: set[str] = set()
    for step in rule:
        verdicts = [option for _, option in step.options] if isinstance(step, Pick) else [step]
        found |= {v.target for v in verdicts if isinstance(v, Verdict) and v.kind in {"jump", "goto"}}
    return found


def containers(rule: Rule) -> set[str]:
    """The sets and maps that the rule uses."""
    found = {s.container for s in rule if isinstance(s, Lookup | Remember)}
    return found | {v[1:] for s in rule if isinstance(s, Match) for v in s.values if v.startswith("@")}


def _told(step: Step) -> str:
    match step:
        case Match(subject, values, negated):
            listed = ", ".join(sorted(values))
            return f"{subject} {'!= ' if negated else ''}{listed if len(values) == 1 else f'{{ {listed} }}'}"
        case Verdict(kind, target):
            return f"{kind} {target}".strip()
        case Translate(ip, port):
            return f"dnat to {ip} port {port}"
        case Pick(mode, mod, offset, options):
            listed = ", ".join(f"{number} : {_told(option)}" for number, option in options)
            return f"numgen {mode} mod {mod}{f' offset {offset}' if offset else ''} {{ {listed} }}"
        case Lookup(key, container):
            return f"{key} vmap @{container}"
        case Mark(operator, mask):
            return f"mark {operator}= {mask:#x}"
        case Masquerade(flags):
            return " ".join(("masquerade", *sorted(flags)))
        case Remember(operation, container, key):
            return f"{operation} @{container} {{ {key} }}"
        case Unknown(text):
            return text
