"""Discovery, version and the other documents that say what the server is."""

from __future__ import annotations

from typing import Any

from conformance.lab.api.resources import GROUP_VERSIONS, RESOURCES, Resource

Json = dict[str, Any]

VERSION: Json = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2+nftconform.lab",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "none",
    "platform": "linux/amd64",
}

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def _entry(res: Resource) -> Json:
    entry: Json = {
        "name": res.plural,
        "singularName": res.singular,
        "namespaced": res.namespaced,
        "kind": res.kind,
        "verbs": list(res.verbs),
    }
    if res.short_names:
        entry["shortNames"] = list(res.short_names)
    if res.categories:
        entry["categories"] = list(res.categories)
    return entry


def _part_entries(res: Resource) -> list[Json]:
    entries = []
    for part in res.subresources:
        entry: Json = {
            "name": f"{res.plural}/{part.name}",
            "singularName": "",
            "namespaced": res.namespaced,
            "kind": part.kind,
            "verbs": list(part.verbs),
        }
        if part.version:
            entry |= {"group": part.group, "version": part.version}
        entries.append(entry)
    return entries


def resource_list(group: str, version: str) -> Json | None:
    """``APIResourceList`` of a group version, None where there is none."""
    found = [each for each in RESOURCES if (each.group, each.version) == (group, version)]
    if not found:
        return None
    entries = [entry for each in found for entry in (_entry(each), *_part_entries(each))]
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": entries}


def core_versions(address: str) -> Json:
    """``APIVersions`` of the core group."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def group(name: str) -> Json | None:
    """``APIGroup`` of a name, None where there is none."""
    versions = [{"groupVersion": f"{name}/{v}", "version": v} for each, v in GROUP_VERSIONS if each == name]
    if not versions:
        return None
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": name,
        "versions": versions,
        "preferredVersion": versions[0],
    }


def group_list() -> Json:
    """``APIGroupList`` of all named groups."""
    groups = [group(name) for name, _ in GROUP_VERSIONS if name]
    trimmed = [
        {key: value for key, value in (each or {}).items() if key not in ("kind", "apiVersion")} for each in groups
    ]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": trimmed}


def aggregated(*, core: bool) -> Json:
    """``APIGroupDiscoveryList`` (apidiscovery.k8s.io/v2): everything in one answer."""
    items = []
    for name, version in GROUP_VERSIONS:
        if (name == "") is not core:
            continue
        resources = [_aggregated_entry(each) for each in RESOURCES if (each.group, each.version) == (name, version)]
        versions = [{"version": version, "resources": resources, "freshness": "Current"}]
        metadata: Json = {"creationTimestamp": None} | ({"name": name} if name else {})
        items.append({"metadata": metadata, "versions": versions})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _aggregated_entry(res: Resource) -> Json:
    entry: Json = {
        "resource": res.plural,
        "responseKind": {"group": res.group, "version": res.version, "kind": res.kind},
        "scope": "Namespaced" if res.namespaced else "Cluster",
        "singularResource": res.singular,
        "verbs": list(res.verbs),
    }
    if res.short_names:
        entry["shortNames"] = list(res.short_names)
    if res.categories:
        entry["categories"] = list(res.categories)
    if res.subresources:
        entry["subresources"] = [
            {
                "subresource": part.name,
                "responseKind": {
                    "group": part.group if part.version else res.group,
                    "version": part.version or res.version,
                    "kind": part.kind,
                },
                "verbs": list(part.verbs),
            }
            for part in res.subresources
        ]
    return entry
