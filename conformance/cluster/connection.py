"""From a kubeconfig, or from inside a pod, to an authenticated `Cluster`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config

from conformance.cluster.api import Cluster
from conformance.cluster.outage import PATIENCE, Outage
from conformance.errors import ClusterError

KUBECONFIG = "KUBECONFIG"
DEFAULT = Path("~/.kube/config")
POOL = 32


def connect(kubeconfig: Path | None = None, context: str | None = None, patience: float = PATIENCE) -> Cluster:
    """The cluster of ``context`` (default: the current one), proven reachable by asking its version.

    Without ``kubeconfig``: $KUBECONFIG, then ~/.kube/config, then the pod's own service account.
    Once it has answered, an API server that is lost is waited for ``patience`` seconds.
    `ClusterError` says which of file, context, network, credentials or permission is wrong.
    """

    def read() -> Any:  # noqa: ANN401  the client is untyped
        return _configuration(kubeconfig, context)

    cluster = Cluster(read(), read)
    cluster.version()
    cluster.outage = Outage(patience)
    return cluster


def _configuration(kubeconfig: Path | None, context: str | None) -> Any:  # noqa: ANN401  the client is untyped
    paths = [kubeconfig] if kubeconfig else [Path(p) for p in os.environ.get(KUBECONFIG, "").split(os.pathsep) if p]
    if not paths:
        default = _default()
        if default is None and not context:
            return _in_cluster()
        paths = [default or DEFAULT]
    for path in paths:
        _check(path)
    return _load(paths, context)


def _default() -> Path | None:
    """The kubeconfig at the default place; none in a pod, where there may be no home, or one that is not ours."""
    try:
        path = DEFAULT.expanduser()
        path.stat()
    except (OSError, RuntimeError):  # RuntimeError: no home can be determined
        return None
    return path


def _load(paths: list[Path], context: str | None) -> Any:  # noqa: ANN401
    names = os.pathsep.join(str(p) for p in paths)
    configuration = client.Configuration()
    try:
        loader: Any = config
        known = [c["name"] for c in loader.list_kube_config_contexts(names)[0]]
        if context and context not in known:
            raise ClusterError(
                f"The kubeconfig {names} has no context '{context}'.",
                f"It has: {', '.join(known)}." if known else "It has none at all.",
            )
        loader.load_kube_config(names, context=context, client_configuration=configuration, persist_config=False)
    except config.ConfigException as failure:
        # The message quotes keys and names of the file, and of exec plugins their command; no values.
        raise ClusterError(
            f"The kubeconfig {names} cannot be used: {str(failure).strip().splitlines()[0]}.".replace("..", "."),
            "Check it with 'kubectl config view', or name another with --kubeconfig.",
        ) from failure
    except OSError as failure:
        raise ClusterError(
            f"The kubeconfig {names} names a file that cannot be read: {failure.filename}: {failure.strerror}.",
            "Check its certificate and token paths.",
        ) from failure
    configuration.connection_pool_maxsize = POOL
    configuration.retries = False
    return configuration


def _in_cluster() -> Any:  # noqa: ANN401
    configuration = client.Configuration()
    loader: Any = config
    try:
        loader.load_incluster_config(client_configuration=configuration)
    except config.ConfigException as failure:
        raise ClusterError(
            f"No cluster is named: there is no {DEFAULT}, ${KUBECONFIG} is not set and this is not a pod.",
            "Name one with --kubeconfig, or bring one: `nftconform run --lab`.",
        ) from failure
    configuration.connection_pool_maxsize = POOL
    configuration.retries = False
    return configuration


def _check(path: Path) -> None:
    hint = "Name the right file with --kubeconfig, or bring a cluster: `nftconform run --lab`."
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError as failure:
        raise ClusterError(f"The kubeconfig {path} cannot be read: {failure.strerror}.", hint) from failure
    except (yaml.YAMLError, UnicodeDecodeError) as failure:
        mark = getattr(failure, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        # Only the line number: the parser's own message would quote the file, credentials included.
        raise ClusterError(f"The kubeconfig {path} is not YAML{where}.", hint) from None
    if not isinstance(content, dict) or content.get("kind", "Config") != "Config":
        raise ClusterError(f"The file {path} is not a kubeconfig.", hint)
