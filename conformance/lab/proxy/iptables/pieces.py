"""The same rules in transactions that an ordinary user's netlink socket takes: none has more than a few hundred rules.

kube-proxy rewrites its shared chains with every change. In pieces that would leave them half full for a moment, so here
only what differs is put in, and then what is gone taken out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from conformance.lab.proxy.iptables import lines, names
from conformance.lab.proxy.iptables.saved import Found, missing_jumps, missing_kubelet_chain, stale_chains
from conformance.lab.proxy.iptables.tables import Tables

_RULES = 150  # about 700 bytes each


def restore_in_pieces(old: Tables | None, new: Tables, changed: Collection[str] | None, found: Found) -> str:
    """From ``old``, which the kernel has (None: nothing), to ``new``; the rest as for `restore.restore`."""
    text: list[str] = []
    if old is None or changed is None:
        text += _beginning(new, found)
    for chains, rules in _groups(new, changed):
        text += lines.table("nat", chains, rules[:_RULES])
        text += _tables("nat", rules[_RULES:])
    for name in ("filter", "nat"):
        if old is None or changed is None:
            text += _tables(name, lines.shared(new, name))
        else:
            text += _tables(name, _difference(lines.shared(old, name), lines.shared(new, name)))
    if old is None or changed is None:
        last = lines.fixed({names.SERVICES: new.frame.nat[names.SERVICES]})
        text += lines.table("nat", (), [*last, *missing_jumps(found, "nat")])
    stale = stale_chains(found, new)
    if stale:
        text += lines.table("nat", stale, ())
        text += lines.table("nat", (), (f"-X {chain}" for chain in stale))
    return lines.as_input(text)


def _beginning(new: Tables, found: Found) -> list[str]:
    """The chains that are always there, but for the rule that must be the last."""
    nat = {chain: rules for chain, rules in new.frame.nat.items() if chain != names.SERVICES}
    return [
        *lines.table(
            "filter",
            [*new.frame.filter, *missing_kubelet_chain(found)],
            [*missing_jumps(found, "filter"), *lines.fixed(new.frame.filter)],
        ),
        *lines.table("nat", new.frame.nat, lines.fixed(nat)),
    ]


def _groups(new: Tables, changed: Collection[str] | None) -> Iterator[tuple[list[str], list[str]]]:
    """Chains and their rules: whole chains as far as they are not too long, behind those that they jump to."""
    large = new.endpoint_count > lines.LARGE
    chains: list[str] = []
    rules: list[str] = []
    for part in lines.written(new, changed):
        for chain in reversed(part.chains):
            mine = lines.own(chain, part.chains[chain], large=large)
            if chains and len(rules) + len(mine) > _RULES:
                yield chains, rules
                chains, rules = [], []
            chains.append(chain)
            rules += mine
    if chains:
        yield chains, rules


def _difference(old: list[str], new: list[str]) -> list[str]:
    """What turns chains with the rules ``old`` into ones with ``new``; their order is that of a Go map anyway."""
    known, wanted = set(old), set(new)
    added = [f"-I{rule[2:]}" for rule in reversed(dict.fromkeys(new)) if rule not in known]
    return [*added, *(f"-D{rule[2:]}" for rule in dict.fromkeys(old) if rule not in wanted)]


def _tables(name: str, rules: list[str]) -> Iterable[str]:
    for start in range(0, len(rules), _RULES):
        yield from lines.table(name, (), rules[start : start + _RULES])
