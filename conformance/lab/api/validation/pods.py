"""What the API refuses in pods, as far as it decides what a pod of the lab can be."""

from __future__ import annotations

from typing import Any

from conformance.lab.api.status import FieldError
from conformance.lab.api.validation import metadata, names

Json = dict[str, Any]

_PROTOCOLS = frozenset({"TCP", "UDP", "SCTP"})
_RESTART = frozenset({"Always", "OnFailure", "Never"})
_DNS = frozenset({"ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"})
_MUTABLE = ("activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations")
_UPDATE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def spec_errors(spec: Json, path: str) -> list[FieldError]:
    """Errors of a PodSpec."""
    errors: list[FieldError] = []
    volumes: set[str] = set()
    for index, volume in enumerate(spec.get("volumes", [])):
        errors += _name(volume.get("name", ""), f"{path}.volumes[{index}].name", volumes)
    containers = spec.get("containers", [])
    if not containers:
        errors.append(FieldError.required(f"{path}.containers"))
    seen: set[str] = set()
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(kind, [])):
            errors += _container(container, f"{path}.{kind}[{index}]", seen, volumes)
    errors += _host_ports(spec, path)
    if spec.get("restartPolicy") not in _RESTART:
        errors.append(FieldError.not_supported(f"{path}.restartPolicy", spec.get("restartPolicy"), _RESTART))
    if spec.get("dnsPolicy") not in _DNS:
        errors.append(FieldError.not_supported(f"{path}.dnsPolicy", spec.get("dnsPolicy"), _DNS))
    if "nodeSelector" in spec:
        errors += metadata.labels(spec["nodeSelector"], f"{path}.nodeSelector")
    for field in ("hostname", "subdomain"):
        if spec.get(field):
            errors += [FieldError.invalid(f"{path}.{field}", spec[field], why) for why in names.dns_label(spec[field])]
    return errors


def _name(name: str, path: str, seen: set[str]) -> list[FieldError]:
    if not name:
        return [FieldError.required(path)]
    errors = [FieldError.invalid(path, name, why) for why in names.dns_label(name)]
    if name in seen:
        errors.append(FieldError.duplicate(path, name))
    seen.add(name)
    return errors


def _container(container: Json, path: str, seen: set[str], volumes: set[str]) -> list[FieldError]:
    errors = _name(container.get("name", ""), f"{path}.name", seen)
    if not container.get("image"):
        errors.append(FieldError.required(f"{path}.image"))
    port_names: set[str] = set()
    for index, port in enumerate(container.get("ports", [])):
        where = f"{path}.ports[{index}]"
        name, number = port.get("name", ""), port.get("containerPort", 0)
        if name:
            problems = names.port_name(name)
            errors += [FieldError.invalid(f"{where}.name", name, why) for why in problems]
            if name in port_names:
                errors.append(FieldError.duplicate(f"{where}.name", name))
            port_names.add(name)
        if number == 0:
            errors.append(FieldError.required(f"{where}.containerPort"))
        else:
            problems = names.port_number(number)
            errors += [FieldError.invalid(f"{where}.containerPort", number, why) for why in problems]
        if port.get("hostPort", 0):
            problems = names.port_number(port["hostPort"])
            errors += [FieldError.invalid(f"{where}.hostPort", port["hostPort"], why) for why in problems]
        if port.get("protocol") not in _PROTOCOLS:
            errors.append(FieldError.not_supported(f"{where}.protocol", port.get("protocol"), _PROTOCOLS))
    for index, mount in enumerate(container.get("volumeMounts", [])):
        if mount.get("name") not in volumes:
            where = f"{path}.volumeMounts[{index}].name"
            errors.append(FieldError("FieldValueNotFound", where, f'Not found: "{mount.get("name", "")}"'))
        if not mount.get("mountPath"):
            errors.append(FieldError.required(f"{path}.volumeMounts[{index}].mountPath"))
    for index, variable in enumerate(container.get("env", [])):
        if not variable.get("name"):
            errors.append(FieldError.required(f"{path}.env[{index}].name"))
    return errors


def _host_ports(spec: Json, path: str) -> list[FieldError]:
    """What no two containers of a pod may share (``AccumulateUniqueHostPorts``), and what the node's network asks."""
    errors: list[FieldError] = []
    taken: set[str] = set()
    for index, container in enumerate(spec.get("containers", [])):
        for number, port in enumerate(container.get("ports", [])):
            where, host_port = f"{path}.containers[{index}].ports[{number}].hostPort", port.get("hostPort", 0)
            if not host_port:
                continue
            key = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{host_port}"
            if key in taken:
                errors.append(FieldError.duplicate(where, key))
            taken.add(key)
            if spec.get("hostNetwork") and host_port != port.get("containerPort"):
                why = "must match `containerPort` when `hostNetwork` is true"
                errors.append(FieldError.invalid(where, host_port, why))
    return errors


def update_errors(new: Json, old: Json) -> list[FieldError]:
    """Errors of a changed pod: its spec stays, apart from images and a few numbers."""
    return [] if _frozen(new["spec"]) == _frozen(old["spec"]) else [FieldError.forbidden("spec", _UPDATE)]


def _frozen(spec: Json) -> Json:
    kept = {key: value for key, value in spec.items() if key not in _MUTABLE}
    for kind in ("containers", "initContainers"):
        if kind in kept:
            kept[kind] = [{key: value for key, value in each.items() if key != "image"} for each in kept[kind]]
    return kept
