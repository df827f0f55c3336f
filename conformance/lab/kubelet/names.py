"""/etc/resolv.conf, /etc/hosts and the host name of a pod. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]

_LOOPBACK = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n"


def hostname(pod: Json, node: str) -> str:
    """The pod's host name: the node's in its network, else ``spec.hostname`` or the pod's name (63 bytes at most)."""
    if pod["spec"].get("hostNetwork"):
        return node
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"])[:63].rstrip("-.")


def hosts(pod: Json, pod_ips: Sequence[str], domain: str) -> str:
    """/etc/hosts of a pod that has its own network: itself under its own name, then its ``hostAliases``."""
    spec = pod["spec"]
    lines = ["# Kubernetes-managed hosts file.", *_LOOPBACK.splitlines()]
    if not spec.get("hostNetwork"):
        own = hostname(pod, "")
        if spec.get("subdomain"):
            full = f"{own}.{spec['subdomain']}.{pod['metadata']['namespace']}.svc.{domain}"
            own = f"{full}\t{own}"
        lines += [f"{address}\t{own}" for address in pod_ips]
    for alias in spec.get("hostAliases") or ():
        lines.append("\t".join([alias["ip"], *(alias.get("hostnames") or ())]))
    return "\n".join(lines) + "\n"


def resolv_conf(pod: Json, cluster_dns: Sequence[str], domain: str, node: str) -> str:
    """/etc/resolv.conf by ``dnsPolicy`` and ``dnsConfig``; ``node`` is the text of the node's own."""
    spec = pod["spec"]
    policy = spec.get("dnsPolicy", "ClusterFirst")
    if policy == "ClusterFirst" and spec.get("hostNetwork"):
        policy = "Default"
    servers: list[str] = []
    searches: list[str] = []
    options: list[str] = []
    if policy in ("ClusterFirst", "ClusterFirstWithHostNet") and cluster_dns:
        servers = list(cluster_dns)
        searches = [f"{pod['metadata']['namespace']}.svc.{domain}", f"svc.{domain}", domain]
        options = ["ndots:5"]
    elif policy != "None":
        servers, searches, options = _parsed(node)
    extra = spec.get("dnsConfig") or {}
    servers = _merged(servers, extra.get("nameservers") or ())
    searches = _merged(searches, extra.get("searches") or ())
    options = _options(options, extra.get("options") or ())
    lines = [f"nameserver {server}" for server in servers]
    if searches:
        lines.append("search " + " ".join(searches))
    if options:
        lines.append("options " + " ".join(options))
    return "".join(line + "\n" for line in lines)


def _parsed(text: str) -> tuple[list[str], list[str], list[str]]:
    servers: list[str] = []
    searches: list[str] = []
    options: list[str] = []
    for line in text.splitlines():
        match line.split():
            case ["nameserver", server, *_]:
                servers.append(server)
            case ["search", *names]:
                searches = names
            case ["options", *names]:
                options = names
    return servers, searches, options


def _merged(first: Sequence[str], more: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*first, *more]))


def _options(first: Sequence[str], more: Sequence[Json]) -> list[str]:
    """The pod's own options win over those of the same name."""
    result = {option.partition(":")[0]: option for option in first}
    for option in more:
        value = option.get("value")
        result[option["name"]] = f"{option['name']}:{value}" if value not in (None, "") else option["name"]
    return list(result.values())
