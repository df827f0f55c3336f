"""Every expression of kube-proxy's rules, for a table that no kernel ever keeps (``nft --check``)."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.model.addresses import Family

TABLE = "nftconform-dry-run"
"""The table is never there; in case a name is needed in somebody's log, it says whose it is."""

_WORDS = {Family.IPV4: ("ip", "ipv4_addr", "192.0.2"), Family.IPV6: ("ip6", "ipv6_addr", "2001:db8:")}


def expressions(family: Family) -> Mapping[str, str]:
    """Rules (or the body of a set) by what they need of the kernel, as kube-proxy 1.36 writes them."""
    ip, _, net = _WORDS[family]
    one, two = (f"{net}.1", f"{net}.2") if family is Family.IPV4 else (f"{net}:1", f"{net}:2")
    block = f"{net}.0/24" if family is Family.IPV4 else f"{net}:/64"
    return {
        "conntrack state": "ct state new jump called",
        "conntrack status": f"ct status dnat {ip} saddr . {ip} daddr . meta l4proto . th dport @hairpin masquerade",
        "marks": "meta mark & 0x4000 != 0 meta mark set meta mark ^ 0x4000",
        "fib lookups": "fib daddr type local jump called",
        "verdict maps of concatenations": f"{ip} daddr . meta l4proto . th dport vmap @services",
        "negated sets": f"{ip} daddr @addresses {ip} saddr != {{ {block} }} drop",
        "interface names with wildcards": 'iifname != "veth*" jump called',
        "random numbers to verdicts": "numgen random mod 2 vmap { 0 : jump called, 1 : goto called }",
        "random numbers to destinations": f"meta l4proto tcp dnat {ip} to numgen random mod 2 map "
        f"{{ 0 : {one} . 80, 1 : {two} . 80 }}",
        "destination translation": f"meta l4proto tcp dnat to {one if family is Family.IPV4 else f'[{one}]'}:80",
        "random masquerading": "masquerade fully-random",
        "sets that rules add to": f"update @affinity {{ {ip} saddr }} {ip} saddr @affinity jump called",
        "reject": "reject",
    }


def transaction(family: Family, *rules: str) -> str:
    """One argument of nft that makes the table with these rules, and the containers that they look into."""
    ip, address, _ = _WORDS[family]
    table = f"{ip} {TABLE}"
    hooks = {"nat-output": "nat hook output priority -100", "nat-postrouting": "nat hook postrouting priority 100"}
    hooks |= {"filter-output": "filter hook output priority 0", "filter-pre": "filter hook prerouting priority -110"}
    # Each rule in a base chain that allows it: translation and masquerading where they belong, reject in output.
    commands = [
        f'add table {table} {{ comment "never there" ; }}',
        *(f"add chain {table} {name} {{ type {hook} ; }}" for name, hook in hooks.items()),
        f"add chain {table} called",
        f"add set {table} addresses {{ type {address} ; }}",
        f"add set {table} hairpin {{ type {address} . {address} . inet_proto . inet_service ; }}",
        f"add map {table} services {{ type {address} . inet_proto . inet_service : verdict ; }}",
        f"add set {table} affinity {{ type {address} ; flags dynamic,timeout ; size 65535 ; timeout 3h ; }}",
        *(f"add rule {table} {_chain(rule)} {rule}" for rule in rules),
    ]
    return " ; ".join(commands)


def _chain(rule: str) -> str:
    if "masquerade" in rule:
        return "nat-postrouting"
    return "nat-output" if "dnat ip" in rule or "dnat to" in rule else "filter-output"
