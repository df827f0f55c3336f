"""Before a node has its first pod: what the network needs is prepared, and a trial shows whether it works at all."""

from __future__ import annotations

import asyncio
import secrets
import sys
from pathlib import Path

from pyroute2.netlink.exceptions import NetlinkError

from conformance.errors import EnvironmentFault, KitError
from conformance.lab.addresses import AddressPlan
from conformance.lab.cni.capabilities import Json, capabilities
from conformance.lab.cni.choice import OTHERS
from conformance.lab.cni.execution import Attachment, PluginError
from conformance.lab.cni.network import INTERFACE
from conformance.lab.cni.place import Place
from conformance.lab.cni.preparation import prepare
from conformance.lab.cni.result import ResultError, addresses
from conformance.lab.cni.runtime import Runtime
from conformance.lab.kubelet import netns
from conformance.lab.kubelet.wanted import PortMapping, Wanted
from conformance.lab.netns import NAMED
from conformance.lab.proxy.nft import NftError

_TRIED = Wanted(ports=(PortMapping(1, 1, "tcp"),))


async def set_up(place: Place) -> None:
    """Prepare this node, and add, check and delete a pod that is none; ``KitError`` says what does not work."""
    plan = AddressPlan(place.nodes)
    try:
        await prepare(place.cni.node, plan, plan.node(place.node))
    except (NetlinkError, NftError, OSError) as error:
        said = " ".join(str(error).split())  # nft says it in several lines
        raise EnvironmentFault(
            f"{place.node} cannot be prepared for the pod network {place.cni.name}: {said}.",
            f"It may take root, or a kernel that can do it. {OTHERS}",
        ) from error
    try:
        await _try(place)
    except (PluginError, ResultError, OSError) as error:
        raise EnvironmentFault(
            f"The pod network {place.cni.name} does not work: {error}.",
            f"Correct its conflist, or what the plugin says is missing. {OTHERS}",
        ) from error


def trial(place: Place) -> Json:
    """By capability, what the pod that is none asks for: what any pod of the node does, and a hostPort."""
    return capabilities(_TRIED, AddressPlan(place.nodes).node(place.node).pod_cidrs)


async def _try(place: Place) -> None:
    runtime = place.runtime()
    path = NAMED / f"cni-trial-{place.node}"
    await runtime.status()
    await netns.create(path, {})
    try:
        attachment = Attachment(secrets.token_hex(32), INTERFACE, str(path), "IgnoreUnknown=1")
        result = await runtime.add(attachment, trial(place))
        try:
            addresses(result)
            await _check(runtime, attachment)
        finally:
            await runtime.delete(attachment)
    finally:
        netns.remove(path)


async def _check(runtime: Runtime, attachment: Attachment) -> None:
    """What CHECK finds is told and no more: container runtimes never ask, so plugins in use answer wrongly.

    Debian's portmap 1.1.1 does, for instance, where a pod has addresses of both families.
    """
    try:
        await runtime.check(attachment)
    except PluginError as error:
        print(f"warning: {error}")


def main() -> int:
    """As a process: the argument is `Place`'s file; ends with 3 after two lines, what lacks and what to do.

    Otherwise each line that it prints is a warning.
    """
    try:
        asyncio.run(set_up(Place.read(Path(sys.argv[1]))))
    except KitError as error:
        print(error.cause, error.hint, sep="\n")
        return error.exit_code
    return 0
