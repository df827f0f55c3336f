"""The columns of each resource's table, as the real server prints them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from conformance.lab import timestamps
from conformance.lab.api.strategies.workloads import label_selector

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; priority 1 shows only with ``-o wide``."""

    name: str
    cell: Callable[[Json], Any]
    priority: int = 0
    type: str = "string"


def _named(name: str) -> Column:
    """A column that every table has; its cell is filled in by the table."""
    return Column(name, lambda obj: "")


_NAME, _AGE = _named("Name"), _named("Age")


def _spec(obj: Json) -> Json:
    found: Json = obj.get("spec", {})
    return found


def _status(obj: Json) -> Json:
    found: Json = obj.get("status", {})
    return found


def _joined(values: list[str], none: str = "<none>") -> str:
    return ",".join(values) or none


def _selector(labels: Json | None) -> str:
    return _joined([f"{key}={value}" for key, value in sorted((labels or {}).items())])


def _service_ports(obj: Json) -> str:
    return _joined(
        [
            f"{port['port']}:{port['nodePort']}/{port['protocol']}"
            if port.get("nodePort")
            else f"{port['port']}/{port['protocol']}"
            for port in _spec(obj).get("ports", [])
        ]
    )


def _external_address(obj: Json) -> str:
    spec = _spec(obj)
    external = list(spec.get("externalIPs", []))
    match spec.get("type"):
        case "ExternalName":
            return str(spec.get("externalName", ""))
        case "LoadBalancer":
            ingress = _status(obj).get("loadBalancer", {}).get("ingress", [])
            addresses = [each.get("ip") or each.get("hostname", "") for each in ingress]
            return _joined(addresses + external, "<pending>")
        case _:
            return _joined(external)


def _container_statuses(obj: Json) -> list[Json]:
    return list(_status(obj).get("containerStatuses", []))


def _pod_reason(obj: Json) -> str:
    status = _status(obj)
    reason = str(status.get("reason") or status.get("phase", ""))
    for each in reversed(_container_statuses(obj)):
        state = each.get("state", {})
        waiting, terminated = state.get("waiting", {}), state.get("terminated")
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif terminated is not None:
            reason = terminated.get("reason") or f"ExitCode:{terminated.get('exitCode', 0)}"
    if "deletionTimestamp" in obj["metadata"]:
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return reason


def _pod_gates(obj: Json) -> str:
    gates = _spec(obj).get("readinessGates", [])
    if not gates:
        return "<none>"
    true = {each["type"] for each in _status(obj).get("conditions", []) if each.get("status") == "True"}
    return f"{sum(each['conditionType'] in true for each in gates)}/{len(gates)}"


def _node_status(obj: Json) -> str:
    ready = [each for each in _status(obj).get("conditions", []) if each["type"] == "Ready"]
    told = ["Ready" if each["status"] == "True" else "NotReady" for each in ready] or ["Unknown"]
    return ",".join(told + (["SchedulingDisabled"] if _spec(obj).get("unschedulable") else []))


def _node_roles(obj: Json) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = obj["metadata"].get("labels", {})
    return _joined(sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix)))


def _node_address(kind: str) -> Callable[[Json], str]:
    def read(obj: Json) -> str:
        found = [each["address"] for each in _status(obj).get("addresses", []) if each["type"] == kind]
        return found[0] if found else "<none>"

    return read


def _node_info(field: str) -> Callable[[Json], str]:
    return lambda obj: str(_status(obj).get("nodeInfo", {}).get(field) or "<unknown>")


def _slice_ports(obj: Json) -> str:
    ports = [str(each["port"]) for each in obj.get("ports") or [] if each.get("port")]
    shown = ports[:3]
    return _joined(shown, "<unset>") + (f" + {len(ports) - 3} more..." if len(ports) > 3 else "")


def _slice_endpoints(obj: Json) -> str:
    addresses = [address for each in obj.get("endpoints") or [] for address in each.get("addresses", [])]
    return _joined(addresses[:3], "<unset>") + (f" + {len(addresses) - 3} more..." if len(addresses) > 3 else "")


def _endpoints(obj: Json) -> str:
    found = []
    for subset in obj.get("subsets") or []:
        addresses = [each["ip"] for each in subset.get("addresses", [])]
        ports = [each["port"] for each in subset.get("ports", [])]
        found += [f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" for port in ports for ip in addresses]
    return _joined(found[:3]) + (f" + {len(found) - 3} more..." if len(found) > 3 else "")


def _template(obj: Json, field: str) -> str:
    containers = _spec(obj).get("template", {}).get("spec", {}).get("containers", [])
    return ",".join(str(each.get(field, "")) for each in containers)


def _match_labels(obj: Json) -> str:
    return _selector(_spec(obj).get("selector", {}).get("matchLabels"))


def age(timestamp: str | None) -> str:
    """How long ago, as kubectl writes it (``duration.HumanDuration``)."""
    if not timestamp:
        return "<unknown>"
    then = timestamps.parse(timestamp)
    seconds = max(0, int((datetime.now(UTC) - then).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    return f"{days}d" if days >= 8 or not hours % 24 else f"{days}d{hours % 24}h"


def _count(field: str) -> Column:
    titles = {"currentNumberScheduled": "Current", "desiredNumberScheduled": "Desired", "numberReady": "Ready"}
    titles |= {"updatedNumberScheduled": "Up-to-date", "numberAvailable": "Available"}
    return Column(titles[field], lambda obj: _status(obj).get(field, 0), 0, "integer")


_WORKLOAD = (
    Column("Containers", lambda obj: _template(obj, "name"), 1),
    Column("Images", lambda obj: _template(obj, "image"), 1),
    Column("Selector", _match_labels, 1),
)
_RBAC = "rbac.authorization.k8s.io"


def _binding_role(obj: Json) -> str:
    return f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}"


_BINDING = (_NAME, Column("Role", _binding_role), _AGE)

COLUMNS: dict[tuple[str, str], tuple[Column, ...]] = {
    ("", "namespaces"): (_NAME, Column("Status", lambda obj: _status(obj).get("phase", "")), _AGE),
    ("", "pods"): (
        _NAME,
        Column(
            "Ready",
            lambda obj: (
                f"{sum(bool(each.get('ready')) for each in _container_statuses(obj))}"
                f"/{len(_spec(obj).get('containers', []))}"
            ),
        ),
        Column("Status", _pod_reason),
        Column("Restarts", lambda obj: str(sum(each.get("restartCount", 0) for each in _container_statuses(obj)))),
        _AGE,
        Column("IP", lambda obj: _status(obj).get("podIP") or "<none>", 1),
        Column("Node", lambda obj: _spec(obj).get("nodeName") or "<none>", 1),
        Column("Nominated Node", lambda obj: _status(obj).get("nominatedNodeName") or "<none>", 1),
        Column("Readiness Gates", _pod_gates, 1),
    ),
    ("", "services"): (
        _NAME,
        Column("Type", lambda obj: _spec(obj).get("type", "")),
        Column("Cluster-IP", lambda obj: _spec(obj).get("clusterIP") or "<none>"),
        Column("External-IP", _external_address),
        Column("Port(s)", _service_ports),
        _AGE,
        Column("Selector", lambda obj: _selector(_spec(obj).get("selector")), 1),
    ),
    ("", "endpoints"): (_NAME, Column("Endpoints", _endpoints), _AGE),
    ("", "nodes"): (
        _NAME,
        Column("Status", _node_status),
        Column("Roles", _node_roles),
        _AGE,
        Column("Version", _node_info("kubeletVersion")),
        Column("Internal-IP", _node_address("InternalIP"), 1),
        Column("External-IP", _node_address("ExternalIP"), 1),
        Column("OS-Image", _node_info("osImage"), 1),
        Column("Kernel-Version", _node_info("kernelVersion"), 1),
        Column("Container-Runtime", _node_info("containerRuntimeVersion"), 1),
    ),
    ("", "configmaps"): (
        _NAME,
        Column("Data", lambda obj: len(obj.get("data", {})) + len(obj.get("binaryData", {})), 0, "integer"),
        _AGE,
    ),
    ("", "secrets"): (
        _NAME,
        Column("Type", lambda obj: obj.get("type", "")),
        Column("Data", lambda obj: len(obj.get("data", {})), 0, "integer"),
        _AGE,
    ),
    ("", "serviceaccounts"): (_NAME, Column("Secrets", lambda obj: len(obj.get("secrets", [])), 0, "integer"), _AGE),
    ("", "events"): (
        Column("Last Seen", lambda obj: age(obj.get("lastTimestamp") or obj.get("eventTime"))),
        Column("Type", lambda obj: obj.get("type", "")),
        Column("Reason", lambda obj: obj.get("reason", "")),
        Column(
            "Object",
            lambda obj: f"{obj['involvedObject'].get('kind', '').lower()}/{obj['involvedObject'].get('name', '')}",
        ),
        Column("Message", lambda obj: obj.get("message", "").strip()),
    ),
    ("discovery.k8s.io", "endpointslices"): (
        _NAME,
        Column("AddressType", lambda obj: obj["addressType"]),
        Column("Ports", _slice_ports),
        Column("Endpoints", _slice_endpoints),
        _AGE,
    ),
    ("apps", "deployments"): (
        _NAME,
        Column("Ready", lambda obj: f"{_status(obj).get('readyReplicas', 0)}/{_spec(obj).get('replicas', 0)}"),
        Column("Up-to-date", lambda obj: _status(obj).get("updatedReplicas", 0), 0, "integer"),
        Column("Available", lambda obj: _status(obj).get("availableReplicas", 0), 0, "integer"),
        _AGE,
        *_WORKLOAD,
    ),
    ("apps", "replicasets"): (
        _NAME,
        Column("Desired", lambda obj: _spec(obj).get("replicas", 0), 0, "integer"),
        Column("Current", lambda obj: _status(obj).get("replicas", 0), 0, "integer"),
        Column("Ready", lambda obj: _status(obj).get("readyReplicas", 0), 0, "integer"),
        _AGE,
        *_WORKLOAD,
    ),
    ("apps", "daemonsets"): (
        _NAME,
        _count("desiredNumberScheduled"),
        _count("currentNumberScheduled"),
        _count("numberReady"),
        _count("updatedNumberScheduled"),
        _count("numberAvailable"),
        Column(
            "Node Selector",
            lambda obj: _selector(_spec(obj).get("template", {}).get("spec", {}).get("nodeSelector")),
        ),
        _AGE,
        *_WORKLOAD,
    ),
    ("coordination.k8s.io", "leases"): (
        _NAME,
        Column("Holder", lambda obj: _spec(obj).get("holderIdentity", "")),
        _AGE,
    ),
    ("networking.k8s.io", "networkpolicies"): (
        _NAME,
        Column("Pod-Selector", lambda obj: label_selector(_spec(obj).get("podSelector", {})) or "<none>"),
        _AGE,
    ),
    ("networking.k8s.io", "servicecidrs"): (
        _NAME,
        Column("CIDRs", lambda obj: _joined(_spec(obj).get("cidrs", []))),
        _AGE,
    ),
    ("networking.k8s.io", "ipaddresses"): (
        _NAME,
        Column("ParentRef", lambda obj: "{resource}/{namespace}/{name}".format(**_spec(obj)["parentRef"])),
        _AGE,
    ),
    (_RBAC, "rolebindings"): _BINDING,
    (_RBAC, "clusterrolebindings"): _BINDING,
}
