"""Follows packets through a Service's chains, in classes: what happens to all that are alike, and to which share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TypeAlias

from conformance.audit.names import is_owned
from conformance.audit.place import Place
from conformance.audit.steps import Mark, Match, Pick, Remember, Rule, Step, Translate, Verdict
from conformance.audit.table import Table

# include/net/netfilter/nf_tables.h: NFT_JUMP_STACK_SIZE
_DEEPEST = 16
_ALL = Fraction(1)
NOTHING = "nothing"
TO = "to"
AFFINITY_PREFIX = "affinity-"


@dataclass(frozen=True, slots=True)
class Sender:
    """A class of packets: sent by a pod of the node, from an address of the node itself."""

    pod: bool
    local: bool


@dataclass(frozen=True, slots=True)
class End:
    """How a packet's way ends: ``to`` an endpoint, ``drop``, ``reject``, ``accept``, or ``nothing`` decided.

    ``remembers`` are the sets that the packet's source was put into, each with the operation.
    """

    verdict: str
    ip: str = ""
    port: int = 0
    mark: int = 0
    remembers: tuple[tuple[str, str], ...] = ()

    def after(self, mark: int, remembers: tuple[tuple[str, str], ...]) -> End:
        """The same end of a packet to which this had already happened."""
        if not mark and not remembers:
            return self
        return replace(self, mark=self.mark | mark, remembers=(*remembers, *self.remembers))


Ends: TypeAlias = Mapping[End, Fraction]


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to one class: the ends and their shares; ``pins`` are the ends of sources that a set remembers."""

    ends: Ends
    pins: Mapping[str, Ends]
    asks_sender: bool


@dataclass(slots=True)
class _Way:
    """A packet on its way through one chain: ``open`` is the share that nothing has been decided about."""

    open: Fraction = _ALL
    mark: int = 0
    remembers: tuple[tuple[str, str], ...] = ()
    asks_sender: bool = False
    ends: dict[End, Fraction] = field(default_factory=dict)
    pins: dict[str, Ends] = field(default_factory=dict)

    def end(self, end: End, share: Fraction) -> None:
        final = end.after(self.mark, self.remembers)
        self.ends[final] = self.ends.get(final, Fraction(0)) + share
        self.open -= share

    def pin(self, name: str, ends: Ends) -> None:
        # Whoever is remembered twice goes by the first rule that asks.
        self.pins.setdefault(name, {e.after(self.mark, self.remembers): share for e, share in ends.items()})


class Walker:
    """The ways through one table; remembers what it has followed, and up to which rule any packet came."""

    def __init__(self, table: Table, place: Place) -> None:
        self.strange: dict[tuple[str, int], Rule] = {}  # rules that kube-proxy does not write; followed as if not there
        self.reached: dict[str, int] = {}
        self._table, self._place = table, place
        self._saddr = f"{place.ip} saddr"
        self._known: dict[tuple[str, str, Sender | None], Fate] = {}

    def follow(self, chain: str, protocol: str, sender: Sender, depth: int = 0) -> Fate:
        """What happens in ``chain`` to packets of ``protocol`` from ``sender``."""
        found = self._known.get((chain, protocol, None)) or self._known.get((chain, protocol, sender))
        if found is None:
            found = self._walk(chain, protocol, sender, depth)
            self._known[chain, protocol, sender if found.asks_sender else None] = found
        return found

    def verdict(self, verdict: Verdict, protocol: str, sender: Sender) -> Fate:
        """What a map's ``verdict`` comes to."""
        if verdict.kind in {"goto", "jump"}:
            return self.follow(verdict.target, protocol, sender)
        kind = NOTHING if verdict.kind in {"return", "continue"} else verdict.kind
        return Fate({End(kind): _ALL}, {}, asks_sender=False)

    def _walk(self, chain: str, protocol: str, sender: Sender, depth: int) -> Fate:
        known = self._table.chains.get(chain)
        if known is None or depth > _DEEPEST:
            return Fate({End("no such chain" if known is None else "endless"): _ALL}, {}, asks_sender=False)
        way, index = _Way(), 0
        for index, rule in enumerate(known.rules, start=1):
            if self._obey(way, rule, _Where(chain, index - 1, protocol, sender, depth)) or not way.open:
                break
        self.reached[chain] = max(index, self.reached.get(chain, 0))
        if way.open:
            way.end(End(NOTHING), way.open)
        return Fate(way.ends, way.pins, way.asks_sender)

    def _obey(self, way: _Way, rule: Rule, where: _Where) -> bool:
        """Do what ``rule`` says; True when it returns from the chain."""
        pinned = ""
        for step in rule:
            if isinstance(step, Match):
                answer = self._holds(way, step, where)
                if answer is False:
                    return False
                if isinstance(answer, str):
                    pinned = answer
                if answer is not None:
                    continue
            elif isinstance(step, Verdict | Translate | Pick):
                return self._decide(way, step, where, pinned)
            elif not pinned and isinstance(step, Mark) and step.operator == "|":
                way.mark |= step.mask
                continue
            elif not pinned and isinstance(step, Remember) and step.key == self._saddr:
                way.remembers = (*way.remembers, (step.operation, step.container))
                continue
            self.strange[where.chain, where.index] = rule
            return False
        return False

    def _holds(self, way: _Way, match: Match, where: _Where) -> bool | str | None:
        """Whether the class matches, or the set that would have to hold it; None when kube-proxy asks no such thing."""
        if match.subject == "meta l4proto":
            return (where.protocol in match.values) is not match.negated
        pods = self._place.pods
        if pods is not None and match in (pods, pods.inverse):
            way.asks_sender = True
            return where.sender.pod is (match == pods)
        if match.subject == "fib saddr type" and match.values == {"local"}:
            way.asks_sender = True
            return where.sender.local is not match.negated
        if match.subject == self._saddr and len(match.values) == 1 and not match.negated:
            (value,) = match.values
            if value.startswith(f"@{AFFINITY_PREFIX}"):
                return value[1:]
        return None

    def _decide(self, way: _Way, step: Verdict | Translate | Pick, where: _Where, pinned: str) -> bool:
        if pinned:
            fate = self._onward(step, where)
            way.asks_sender |= fate.asks_sender
            way.pin(pinned, fate.ends)
            return False
        if isinstance(step, Pick):
            share, numbers = way.open / step.mod, range(step.offset, step.offset + step.mod)
            if step.mode != "random":
                self.strange[where.chain, where.index] = (step,)
            for number, option in step.options:
                if number in numbers:
                    self._join(way, self._onward(option, where), share)
            return False
        if isinstance(step, Verdict) and step.kind in {"return", "continue"}:
            return step.kind == "return"
        before = way.open
        fate = self._onward(step, where)
        self._join(way, fate, before)
        if isinstance(step, Verdict) and step.kind == "jump":
            _come_back(way, fate, before)
        return False

    def _onward(self, step: Step, where: _Where) -> Fate:
        if isinstance(step, Verdict) and step.kind in {"goto", "jump"}:
            return self.follow(step.target, where.protocol, where.sender, where.depth + 1)
        if isinstance(step, Translate):
            return Fate({End(TO, step.ip, step.port): _ALL}, {}, asks_sender=False)
        kind = step.kind if isinstance(step, Verdict) else "a choice of choices"
        return Fate({End(kind): _ALL}, {}, asks_sender=False)

    def _join(self, way: _Way, fate: Fate, share: Fraction) -> None:
        way.asks_sender |= fate.asks_sender
        for name, ends in fate.pins.items():
            way.pin(name, ends)
        for end, part in fate.ends.items():
            way.end(end, share * part)

    def unreached(self, chain: str) -> list[Rule]:
        """The rules of a Service's ``chain`` that no packet comes to, though some come into the chain."""
        count = self.reached.get(chain)
        return self._table.chains[chain].rules[count:] if count is not None and is_owned(chain) else []


@dataclass(frozen=True, slots=True)
class _Where:
    """The rule that is obeyed, and the class that obeys it."""

    chain: str
    index: int
    protocol: str
    sender: Sender
    depth: int


def _come_back(way: _Way, fate: Fate, share: Fraction) -> None:
    """After a jump, what the other chain did not decide about goes on here, marked and remembered as there."""
    for end, part in fate.ends.items():
        if end.verdict == NOTHING:
            final = end.after(way.mark, way.remembers)
            way.ends.pop(final, None)
            way.open += share * part
            way.mark, way.remembers = final.mark, final.remembers
