"""The input of iptables-restore as kube-proxy writes it: everything anew, or only what changed; and what undoes it."""

from __future__ import annotations

from collections.abc import Collection

from conformance.lab.proxy.iptables import lines, names
from conformance.lab.proxy.iptables.frame import JUMPS
from conformance.lab.proxy.iptables.saved import Found, missing_jumps, missing_kubelet_chain, stale_chains
from conformance.lab.proxy.iptables.tables import Tables

OURS = {
    "filter": frozenset(
        {names.SERVICES, names.EXTERNAL_SERVICES, names.FORWARD, names.NODE_PORTS, names.PROXY_FIREWALL, names.CANARY}
    ),
    "nat": frozenset({names.SERVICES, names.NODE_PORTS, names.POSTROUTING, names.MARK_MASQ, names.CANARY}),
    "mangle": frozenset({names.CANARY}),
}
"""The chains that are kube-proxy's alone and no Service's, by table."""


def restore(tables: Tables, changed: Collection[str] | None, found: Found) -> str:
    """All of ``tables``, or (``changed`` is not None) the shared chains and those of the ``changed`` Services.

    ``found`` is what the kernel has: chains of Services that are gone are deleted where nat was looked at, and missing
    jumps put in if all is written.
    """
    whole, large, parts = changed is None, tables.endpoint_count > lines.LARGE, lines.written(tables, changed)
    stale = stale_chains(found, tables)
    return lines.as_input(
        (
            *lines.table(
                "filter",
                [*tables.frame.filter, *(missing_kubelet_chain(found) if whole else ())],
                [
                    *(missing_jumps(found, "filter") if whole else ()),
                    *lines.shared(tables, "filter"),
                    *lines.fixed(tables.frame.filter),
                ],
            ),
            *lines.table(
                "nat",
                [*tables.frame.nat, *(chain for part in parts for chain in part.chains), *stale],
                [
                    *(missing_jumps(found, "nat") if whole else ()),
                    *lines.shared(tables, "nat"),
                    *lines.fixed(tables.frame.nat),
                    *(r for p in parts for c, rules in p.chains.items() for r in lines.own(c, rules, large=large)),
                    *(f"-X {chain}" for chain in stale),
                ],
            ),
        )
    )


def removal(found: Found) -> str:
    """The input that takes away everything of kube-proxy's that was ``found``; empty when there is nothing.

    What it shares with the kubelet stays.
    """
    text: list[str] = []
    for name, ours in OURS.items():
        known = found[name]
        jumps = [f"-D {jump.source} {jump.text}" for jump in JUMPS if jump.table == name and known.has(jump)]
        chains = sorted(c for c in known.chains if c in ours or (name == "nat" and names.is_service_chain(c)))
        if jumps or chains:
            # All are emptied before the first one goes, so that none is referred to.
            text += lines.table(name, chains, jumps)
            text += lines.table(name, (), (f"-X {chain}" for chain in chains))
    return lines.as_input(text)


def canaries() -> str:
    """The input that puts an empty chain into every table, whose absence tells that somebody flushed them."""
    return lines.as_input(line for name in OURS for line in lines.table(name, [names.CANARY], []))
