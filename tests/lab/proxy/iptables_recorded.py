"""The recorded cluster in iptables mode, and a listing in which equal rulesets are equal."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path
from typing import Any

from conformance.lab.proxy.config import Configuration
from conformance.lab.proxy.iptables import names
from conformance.lab.proxy.iptables.frame import frame
from conformance.lab.proxy.iptables.part import part
from conformance.lab.proxy.iptables.tables import Host, Tables
from conformance.lab.proxy.place import place
from conformance.model import parse
from conformance.model.addresses import Family
from conformance.model.cluster import ProxyMode

DATA = Path(__file__).parents[2] / "data"
COUNTERS = frozenset({names.INVALID_DROPPED, names.LOOPBACK_ACCEPTED})

# Here the order is that of a Go map, in which kube-proxy walks over Services.
_BY_SERVICE = {names.SERVICES, names.EXTERNAL_SERVICES, names.NODE_PORTS, names.PROXY_FIREWALL}


def recorded(node: str) -> list[str]:
    """What kube-proxy 1.36.2 made on ``node``, canonical."""
    listings = json.loads(lzma.decompress((DATA / "rulesets" / "iptables.json.xz").read_bytes()))
    return canonical(listings[node])


def tables(family: Family, node: str) -> Tables:
    """What the reference makes of the same objects."""
    objects, topology = _load("objects"), _load("topology")
    known = {n.name: n for n in map(parse.node, objects["nodes"])}
    of_node = topology["nodes"][node]
    addresses = [*of_node["addresses"], of_node["secondaryAddress"], *of_node["bridgeAddresses"], "127.0.0.1", "::1"]
    configuration = Configuration(ProxyMode.IPTABLES, cluster_cidrs=tuple(topology["kubeProxy"]["clusterCIDR"]))
    here, host = place(family, known[node], configuration, (), addresses), Host(COUNTERS)
    slices = [parse.endpoint_slice(s) for s in objects["endpointslices"]]
    services = [parse.service(s) for s in objects["services"]]
    made = {s.key: part(s, [e for e in slices if f"{e.namespace}/{e.service}" == s.key], here, host) for s in services}
    return Tables(frame(here, host), made)


def canonical(listing: dict[str, Any]) -> list[str]:
    """``nft -j list ruleset`` as sorted entries, one a chain, its rules in order unless that order is nobody's."""
    entries, rules = [], dict[str, list[str]]()
    for item in listing["nftables"]:
        ((kind, body),) = item.items()
        if kind == "chain":
            entries.append(json.dumps({k: v for k, v in body.items() if k != "handle"}, sort_keys=True))
        elif kind == "rule":
            expressions = [{"counter": None} if "counter" in e else e for e in body["expr"]]
            chain = f"{body['family']} {body['table']} {body['chain']}"
            rules.setdefault(chain, []).append(json.dumps(expressions, sort_keys=True))
    for chain, made in rules.items():
        name = chain.split()[-1]
        entries.append(f"{chain}: {'; '.join(sorted(made) if name in _BY_SERVICE else made)}")
    return sorted(entries)


def _load(name: str) -> dict[str, Any]:
    packed = DATA / "groundtruth" / "iptables" / f"{name}.json.gz"
    found: dict[str, Any] = json.loads(gzip.decompress(packed.read_bytes()))
    return found
