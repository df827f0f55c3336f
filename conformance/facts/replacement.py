"""Whether something serves Services in kube-proxy's stead. The parser is pure."""

from __future__ import annotations

from conformance.facts import cni
from conformance.facts.answer import JSON, Answer, at, joined, mapping, text, true
from conformance.facts.workloads import Found, Workloads
from conformance.model.facts import Fact, unknown

NONE = "none"


def replacement(
    seen: Workloads,
    kube_proxy: str,
    cilium_config: Answer[JSON],
    antrea_config: Answer[JSON],
    calico_dataplane: Fact[str],
) -> Fact[str]:
    """The plugins that say they do; ``none`` where none does and a kube-proxy runs, which ``kube_proxy`` names."""
    claims = [
        (found.product, where)
        for found in seen.of(cni.PRODUCTS)
        for where in [_claim(found, cilium_config, antrea_config, calico_dataplane)]
        if where
    ]
    if claims:
        beside = f"; beside {kube_proxy}" if kube_proxy else ""
        return Fact(joined(name for name, _ in claims), "; ".join(where for _, where in claims) + beside)
    doubtful = [f.product for f in seen.of(cni.PRODUCTS) if f.product == cni.CILIUM and cilium_config.found is None]
    if doubtful:
        return unknown(f"Cilium may: {cilium_config.where}")
    if kube_proxy:
        return Fact(NONE, f"{kube_proxy} runs, and no plugin says that it replaces it")
    return unknown(f"neither kube-proxy nor a known replacement among {seen.where}")


def _claim(found: Found, cilium_config: Answer[JSON], antrea_config: Answer[JSON], calico: Fact[str]) -> str:
    """Where ``found`` says that it serves Services; empty when it does not."""
    match found.product:
        case cni.CILIUM:
            word = text(at(cilium_config.found, "data", "kube-proxy-replacement"))
            # strict is what true was called before Cilium 1.14.
            return f"{cilium_config.where}, kube-proxy-replacement {word}" if word in ("true", "strict") else ""
        case cni.ANTREA:
            agent = mapping(at(antrea_config.found, "data", "antrea-agent.conf"))
            return f"{antrea_config.where}, antreaProxy.proxyAll" if true(at(agent, "antreaProxy", "proxyAll")) else ""
        case cni.KUBE_ROUTER:
            on = found.container.flags.get("run-service-proxy", "true") == "true"
            return f"{found.workload}, --run-service-proxy" if on else ""
        case cni.CALICO:
            return calico.source if calico.value == "ebpf" else ""
        case cni.OVN:
            return f"{found.source}, which always does"
        case _:
            return ""
