"""What a running lab looks like from outside: its nodes, pods and logs, asked of its API."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections import Counter
from typing import Any

from conformance.errors import LabError, UsageError
from conformance.lab import conditions, kubeconfig
from conformance.lab.launch.directory import Directory, required

Json = dict[str, Any]

_SECONDS = 10.0


def overview(directory: Directory) -> list[str]:
    """Lines for a person: since when, where its API is, each node with its proxy, how many pods. ``LabError``."""
    record = required(directory)
    head = f"lab in {directory.path}: up {_span(time.time() - record.started)}"
    if not directory.kubeconfig.exists():
        return [f"{head}, {record.nodes} nodes without Kubernetes"]
    nodes, pods = _items(directory, "/api/v1/nodes"), _items(directory, "/api/v1/pods")
    real = f" (kube-apiserver {record.version})" if record.version else ""
    return [f"{head}, API at https://127.0.0.1:{record.port}{real}", *_table(nodes, pods), _pods(pods)]


def _table(nodes: list[Json], pods: list[Json]) -> list[str]:
    count = Counter(pod["spec"].get("nodeName") for pod in pods)
    proxies = {
        pod["spec"].get("nodeName"): conditions.ready(pod)
        for pod in pods
        if pod["metadata"].get("labels", {}).get("k8s-app") == "kube-proxy"
    }
    rows = []
    for node in nodes:
        name = node["metadata"]["name"]
        addresses = [a["address"] for a in node["status"].get("addresses", ()) if a["type"] == "InternalIP"]
        zone = node["metadata"].get("labels", {}).get("topology.kubernetes.io/zone", "")
        state = "Ready" if conditions.ready(node) else "NotReady"
        proxy = {True: "kube-proxy ready", False: "kube-proxy not ready", None: "no kube-proxy"}[proxies.get(name)]
        rows.append((name, state, " ".join(addresses), zone, f"{count[name]} pods", proxy))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _pods(pods: list[Json]) -> str:
    return f"pods: {len(pods)}, {sum(map(conditions.ready, pods))} of them ready"


def component_logs(directory: Directory) -> list[str]:
    """The names of the components that have written a log. ``LabError``."""
    required(directory)
    return sorted(path.stem for path in directory.logs.glob("*.log"))


def read_log(directory: Directory, name: str) -> str:
    """The log of the component or pod (``namespace/name``) called ``name``. ``UsageError`` when there is none."""
    known = component_logs(directory)
    if name in known:
        return (directory.logs / f"{name}.log").read_text(errors="replace")
    namespace, _, pod = name.partition("/")
    if pod:
        return _get(directory, f"/api/v1/namespaces/{namespace}/pods/{pod}/log").decode(errors="replace")
    raise UsageError(
        f"The lab has no component {name!r}.", f"It has {', '.join(known)}, and pods named namespace/name."
    )


def _items(directory: Directory, path: str) -> list[Json]:
    found: list[Json] = json.loads(_get(directory, path))["items"]
    return found


def _get(directory: Directory, path: str) -> bytes:
    try:
        connection = kubeconfig.from_file(directory.kubeconfig)
        request = urllib.request.Request(connection.server + path)  # noqa: S310  (the lab's own kubeconfig)
        with urllib.request.urlopen(request, timeout=_SECONDS, context=connection.ssl_context()) as answer:  # noqa: S310
            body: bytes = answer.read()
            return body
    except urllib.error.HTTPError as error:
        raise LabError(f"The lab's API said {error.code} to {path}: {_message(error)}.", "Check the name.") from error
    except OSError as error:
        raise LabError(f"The lab's API does not answer: {error}.", "See 'nftconform lab logs'.") from error


def _message(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
