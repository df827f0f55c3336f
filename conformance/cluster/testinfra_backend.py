"""Testinfra's way into a pod: its modules (``host.file``, ``host.run`` ...) over the API server's exec, no kubectl."""

from __future__ import annotations

import shlex
from typing import Any

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host

from conformance.cluster.api import Cluster
from conformance.cluster.output import completed
from conformance.cluster.pods import PodRef

_INTO_THE_HOST = """\
import os, sys
os.chroot("/proc/1/root")
os.chdir("/")
os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin"
try:
    os.execvp(sys.argv[1], sys.argv[1:])
except OSError as fault:
    sys.exit(127 if isinstance(fault, FileNotFoundError) else 126)
"""


class PodBackend(BaseBackend):  # type: ignore[misc]  # testinfra is untyped
    """Runs each command in a container, its words as they are: images of kube-proxy have no shell.

    What a module writes for a shell (pipes, ``command -v``) is a program that is not there: exit status 127.
    ``ClusterError`` when a command cannot be run, or its end is not known.
    """

    NAME = "nftconform"

    def __init__(self, cluster: Cluster, pod: PodRef, container: str = "", prefix: tuple[str, ...] = ()) -> None:
        super().__init__(f"{pod.namespace}/{pod.name}")
        self._cluster, self._pod, self._container, self._prefix = cluster, pod, container, prefix

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:  # noqa: ANN401  testinfra's own
        """See testinfra."""
        words = self._prefix + tuple(shlex.split(self.get_command(command, *args)))
        done = completed(self._cluster, self._pod, *words, container=self._container)
        return self.result(done.code, command.encode(), done.output, done.errors)


def in_pod(cluster: Cluster, pod: PodRef, container: str = "") -> Host:
    """The host that testinfra sees in a container."""
    return _host(PodBackend(cluster, pod, container))


def in_host(cluster: Cluster, pod: PodRef) -> Host:
    """The node's own file system and programs, from a privileged pod with python3 that shares the node's processes.

    Only the file system is entered: network and processes of such a pod are the node's already.
    """
    return _host(PodBackend(cluster, pod, prefix=("python3", "-c", _INTO_THE_HOST)))


def _host(backend: PodBackend) -> Host:
    host = Host(backend)
    backend.set_host(host)
    return host
