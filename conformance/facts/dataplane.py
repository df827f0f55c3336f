"""With what a CNI plugin moves packets: iptables, nftables, eBPF or Open vSwitch. One pure parser a plugin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from conformance.facts.answer import JSON, Answer, at, joined, mapping, reasons, text, true
from conformance.facts.cni import KUBE_OVN, OVN
from conformance.facts.workloads import Found, version
from conformance.model.facts import Fact, minor, unknown

BY_DESIGN = {OVN: "ovs", KUBE_OVN: "ovs"}
"""Plugins that have one dataplane only."""

_BPF = "ebpf"
_DEFAULT_IS_IPTABLES_BELOW = (3, 31)
"""Calico's documentation gives ``nftablesMode`` the default Disabled; later releases are not taken on trust."""


def of(plugins: Iterable[Found], known: Mapping[str, Fact[str]], name: Fact[str]) -> Fact[str]:
    """The dataplane of the plugins that connect pods: of several each with its plugin's name."""
    each = [(f.product, known.get(f.product) or _by_design(f)) for f in plugins]
    if not each:
        return unknown(f"nobody tells it of {name.value}" if name.value else name.source)
    if len(each) == 1 or not all(plane.known for _, plane in each):
        return next((plane for _, plane in each if not plane.known), each[0][1])
    named = joined(f"{product}: {plane.value}" for product, plane in each)
    return Fact(named, reasons(*(plane.source for _, plane in each)))


def calico(found: Found, installation: Answer[JSON], felix: Answer[JSON]) -> Fact[str]:
    """What the operator's Installation says, or the environment of calico-node, or FelixConfiguration: in this order.

    Felix itself prefers its environment to its configuration.
    """
    chosen = text(at(installation.found, "spec", "calicoNetwork", "linuxDataplane")).lower()
    if chosen:
        return Fact(_BPF if chosen == "bpf" else chosen, f"{installation.where}, calicoNetwork.linuxDataplane")
    env, spec = found.container.env, at(felix.found, "spec")
    in_env, in_felix = f"{found.workload}, environment", f"{felix.where}, spec"
    for value, where in (
        (env.get("FELIX_BPFENABLED"), f"{in_env} FELIX_BPFENABLED"),
        (at(spec, "bpfEnabled"), f"{in_felix}.bpfEnabled"),
    ):
        if true(value):
            return Fact(_BPF, where)
        if text(value):
            break
    for value, where in (
        (env.get("FELIX_NFTABLESMODE"), f"{in_env} FELIX_NFTABLESMODE"),
        (at(spec, "nftablesMode"), f"{in_felix}.nftablesMode"),
    ):
        word = text(value).lower()
        if word in ("enabled", "disabled"):
            return Fact("nftables" if word == "enabled" else "iptables", where)
        if word:
            return unknown(f"{where} is {word}")
    if felix.found is None:
        return unknown(reasons(installation.where, felix.where))
    release = minor(version(found).value)
    if release and release < _DEFAULT_IS_IPTABLES_BELOW:
        return Fact("iptables", f"{in_felix}.nftablesMode is not set")
    return unknown(f"{in_felix}.nftablesMode is not set: its default depends on Calico's release")


def cilium(config: Answer[JSON]) -> Fact[str]:
    """eBPF always; with the tunnel, or without one, as ``cilium-config`` says."""
    routing = text(at(config.found, "data", "routing-mode"))
    tunnel = text(at(config.found, "data", "tunnel-protocol")) or text(at(config.found, "data", "tunnel"))
    if routing == "native" or tunnel == "disabled":
        return Fact(f"{_BPF}, native routing", config.where)
    if tunnel:
        return Fact(f"{_BPF}, {tunnel}", config.where)
    return Fact(_BPF, "Cilium has no other")


def flannel(config: Answer[JSON]) -> Fact[str]:
    """The packet filter and the backend in ``net-conf.json``; ``EnableNFTables`` is false by default."""
    net_conf = mapping(at(config.found, "data", "net-conf.json"))
    if net_conf is None:
        return unknown(f"{config.where} holds no net-conf.json" if config.found else config.where)
    backend = text(at(net_conf, "Backend", "Type"))
    rules = "nftables" if true(net_conf.get("EnableNFTables")) else "iptables"
    return Fact(f"{rules}, {backend}" if backend else rules, f"{config.where}, net-conf.json")


def antrea(config: Answer[JSON]) -> Fact[str]:
    """Open vSwitch always; ``trafficEncapMode`` is encap by default."""
    agent = mapping(at(config.found, "data", "antrea-agent.conf"))
    if agent is None:
        return Fact("ovs", "Antrea has no other")
    return Fact(f"ovs, {text(agent.get('trafficEncapMode')) or 'encap'}", f"{config.where}, antrea-agent.conf")


def _by_design(found: Found) -> Fact[str]:
    plane = BY_DESIGN.get(found.product)
    return (
        Fact(plane, f"{found.product} has no other") if plane else unknown(f"the API does not tell {found.product}'s")
    )
