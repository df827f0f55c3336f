"""What kube-proxy's pods run in a lab with a real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from conformance.lab import addons
from conformance.lab.addresses import AddressPlan
from conformance.lab.real.choice import Real
from conformance.lab.real.proxy_config import merged
from conformance.model.cluster import ProxyMode

Json = dict[str, Any]

# A node that is a namespace may not change the kernel's limits of connection tracking; 0 leaves them as they are.
_CONNTRACK: Json = {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"}
_VERBOSE = "--v=2"


def proxy_program(plan: AddressPlan, real: Real, mode: ProxyMode) -> addons.ProxyProgram:
    """The real kube-proxy in ``mode``, as kubeadm's DaemonSet starts it."""
    base: Json = {**yaml.safe_load(addons.configuration(plan, mode)), "conntrack": _CONNTRACK}
    path = Path(real.binaries.proxy)
    return addons.ProxyProgram(
        image=f"registry.k8s.io/kube-proxy:{real.binaries.proxy_version.replace('+', '_')}",
        command=(
            str(path),
            f"--config={addons.PROXY_FOLDER}/config.conf",
            "--hostname-override=$(NODE_NAME)",
            _VERBOSE,
        ),
        configuration=yaml.safe_dump({**merged(base, real.proxy), "mode": mode.value}, sort_keys=False),
        folder=path.parent,
    )
