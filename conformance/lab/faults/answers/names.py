"""What a broken cluster DNS knows: the view that its records are made from, seen wrongly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.lab.dns.view import Host, View, address_label, cluster_ips, headless
from conformance.lab.faults.answers.registry import puts_in
from conformance.lab.faults.answers.switches import Switches
from conformance.spec.faults import Fault

Json = dict[str, Any]

_INVENTED = ("192.0.2.253", "2001:db8::253")


class FaultyView(View):
    """Each fault is one answer of `View` given wrongly; with nothing on, every answer is right."""

    def __init__(self, switches: Switches) -> None:
        super().__init__()
        self._switches = switches
        self._past: dict[str, Json] = {}
        self._as_of = switches.changes

    @puts_in(Fault.DNS_STALE)
    def on_service(self, event: str, service: Json) -> None:
        """Remember what a Service was when it was first changed, or went."""
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        self._forget()
        known = super().service(namespace, name)
        if known is not None and self._switches.suffers(Fault.DNS_STALE, namespace, name):
            self._past.setdefault(f"{namespace}/{name}", known)
        super().on_service(event, service)

    @puts_in(
        Fault.DNS_NAME_INVENTED,
        Fault.DNS_NO_ALIAS,
        Fault.DNS_SRV_MISSING,
        Fault.DNS_SRV_WRONG_PORT,
        Fault.DNS_ENDPOINTS_AS_ADDRESS,
    )
    def service(self, namespace: str, name: str) -> Json | None:
        """The Service, or another one."""
        self._forget()
        found = self._past.get(f"{namespace}/{name}") or super().service(namespace, name)
        if found is None or (headless(found) and not self.hosts(namespace, name)):
            invents = self.has_namespace(namespace) and self._hits(Fault.DNS_NAME_INVENTED, namespace, name)
            return _with(found or {}, clusterIPs=list(_INVENTED), clusterIP=_INVENTED[0]) if invents else found
        if found["spec"].get("type") == "ExternalName":
            return _with(found, type="ClusterIP") if self._hits(Fault.DNS_NO_ALIAS, namespace, name) else found
        if self._hits(Fault.DNS_SRV_MISSING, namespace, name):
            found = _with(found, ports=[])
        if self._hits(Fault.DNS_SRV_WRONG_PORT, namespace, name):
            ports = found["spec"].get("ports") or ()
            found = _with(found, ports=[{**port, "port": port.get("targetPort", port["port"])} for port in ports])
        if self._hits(Fault.DNS_FAMILY_MISSING, namespace, name) and len(addresses := cluster_ips(found)) > 1:
            found = _with(found, clusterIPs=addresses[:1])
        if self._hits(Fault.DNS_ENDPOINTS_AS_ADDRESS, namespace, name):
            found = _with(found, clusterIPs=["None"], clusterIP="None")
        return found

    @puts_in(Fault.DNS_FAMILY_MISSING, Fault.DNS_ENDPOINT_MISSING, Fault.DNS_HOSTNAME_IGNORED)
    def hosts(self, namespace: str, name: str) -> list[Host]:
        """The ready endpoints, or others."""
        found = super().hosts(namespace, name)
        if self._hits(Fault.DNS_FAMILY_MISSING, namespace, name):
            found = [host for host in found if ":" not in host.address]
        if self._hits(Fault.DNS_ENDPOINT_MISSING, namespace, name):
            by_family = [[h for h in found if (":" in h.address) is six] for six in (False, True)]
            found = [host for hosts in by_family for host in (hosts[:-1] or hosts)]
        if self._hits(Fault.DNS_HOSTNAME_IGNORED, namespace, name):
            found = [replace(host, label=address_label(host.address)) for host in found]
        if self._hits(Fault.DNS_SRV_MISSING, namespace, name):
            found = [replace(host, ports=()) for host in found]
        return found

    @puts_in(Fault.DNS_UNREADY_LISTED, Fault.DNS_UNREADY_WITHHELD)
    def listed(self, owner: str, endpoint: Json) -> bool:
        """Whether an endpoint has records."""
        namespace, _, name = owner.partition("/")
        if self._hits(Fault.DNS_UNREADY_LISTED, namespace, name):
            return True
        serves = (endpoint.get("conditions") or {}).get("serving") is not False
        withheld = not serves and self._hits(Fault.DNS_UNREADY_WITHHELD, namespace, name)
        return super().listed(owner, endpoint) and not withheld

    def _hits(self, fault: Fault, namespace: str, name: str) -> bool:
        return self._switches.suffers(fault, namespace, name)

    def _forget(self) -> None:
        """Know the present again once somebody has switched."""
        changes = self._switches.look()
        if changes != self._as_of:
            self._as_of = changes
            self._past.clear()


def _with(service: Json, **fields: object) -> Json:
    return {**service, "spec": {**service.get("spec", {}), **fields}}
