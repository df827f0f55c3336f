"""Permissions as the API objects that grant them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from conformance.arrange.run import MANAGED_BY, MANAGER
from conformance.cluster.grants import Grant

JSON = dict[str, Any]
API = "rbac.authorization.k8s.io"


def account(name: str, namespace: str) -> list[JSON]:
    """A ServiceAccount, and the namespace that it lives in."""
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    return [home, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(name, namespace)}]


def roles(name: str, grants: Iterable[Grant], subject: tuple[str, str]) -> list[JSON]:
    """A ClusterRole, and a Role for each namespace that ``grants`` name, all called ``name`` and bound to ``subject``.

    ``subject`` is a ServiceAccount's (namespace, name).
    """
    places: dict[str, list[Grant]] = defaultdict(list)
    for grant in grants:
        places[grant.namespace].append(grant)
    made: list[JSON] = []
    for namespace, some in sorted(places.items()):
        prefix = "" if namespace else "Cluster"
        api = {"apiVersion": f"{API}/v1"}
        made.append(api | {"kind": f"{prefix}Role", "metadata": _metadata(name, namespace), "rules": rules(some)})
        role = {"apiGroup": API, "kind": f"{prefix}Role", "name": name}
        who = {"kind": "ServiceAccount", "namespace": subject[0], "name": subject[1]}
        bound = {"metadata": _metadata(name, namespace), "roleRef": role, "subjects": [who]}
        made.append(api | {"kind": f"{prefix}RoleBinding"} | bound)
    return made


def rules(grants: Iterable[Grant]) -> list[JSON]:
    """The fewest rules that say exactly this: resources of one group with the same verbs share one."""
    verbs: dict[tuple[str, tuple[str, ...], str], set[str]] = defaultdict(set)
    for grant in grants:
        verbs[grant.group, grant.names, grant.plural].add(grant.verb)
    alike: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, names, plural), some in sorted(verbs.items()):
        alike[group, names, tuple(sorted(some))].append(plural)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(some)}
        | ({"resourceNames": list(names)} if names else {})
        for (group, names, some), resources in alike.items()
    ]


def _metadata(name: str, namespace: str) -> JSON:
    labels = {"labels": {MANAGED_BY: MANAGER}}
    return {"name": name} | ({"namespace": namespace} if namespace else {}) | labels
