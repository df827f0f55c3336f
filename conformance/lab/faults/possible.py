"""Which faults a lab can suffer at all."""

from __future__ import annotations

from conformance.errors import UsageError
from conformance.model.cluster import ProxyMode
from conformance.spec.faults import DAMAGE, Fault, Site


def check(fault: Fault, *, real_api: bool, proxy_mode: str) -> None:
    """``UsageError`` when a lab with a real kube-apiserver, or with kube-proxy in that mode, has no place for it."""
    site = DAMAGE[fault].site
    if real_api and site in (Site.VIEW, Site.API):
        raise UsageError(
            f"{fault.word} is put into {site.value}, and this lab's API server is a real one.",
            "Use a lab without --binaries.",
        )
    if proxy_mode != ProxyMode.NFTABLES.value and site is Site.RULES:
        raise UsageError(
            f"{fault.word} is put into {site.value}, and this lab's kube-proxy is in {proxy_mode} mode.",
            "Use a lab with --proxy-mode nftables.",
        )
