"""The pod network that a user chose for a lab, checked as far as it can be before one boots."""

from __future__ import annotations

import asyncio
import platform
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.errors import EnvironmentFault, UsageError
from conformance.lab.addresses import AddressPlan, NodePlan
from conformance.lab.cni import conf, filling
from conformance.lab.cni.execution import PluginError, Plugins
from conformance.lab.cni.profile import Preparation, load
from conformance.lab.cni.result import ResultError, spoken
from conformance.lab.launch.preflight import search_path
from conformance.lab.real.binaries import check_program
from conformance.lab.real.elf import architecture

Json = dict[str, Any]

USUAL = ("/usr/lib/cni", "/opt/cni/bin")
OTHERS = "'nftconform lab cni' lists the kit's own networks."
_BRIDGE_NETFILTER = Path("/proc/sys/net/bridge")
_IPTABLES = "iptables"
_CHOOSE = ("portmap", "firewall")  # by their ``backend``; without one they use iptables
_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Cni:
    """A pod network: ``name`` is the profile's or the conflist's, ``network`` still has its placeholders.

    ``folders`` have the plugins. ``dns``: whether cluster DNS can come up in it.
    """

    name: str
    network: conf.Network
    folders: tuple[str, ...]
    node: Preparation
    dns: bool = True

    @classmethod
    def decode(cls, plain: Json) -> Cni:
        """From ``dataclasses.asdict`` as JSON has it."""
        network = conf.Network(**{**plain["network"], "plugins": tuple(plain["network"]["plugins"])})
        made = {"network": network, "node": Preparation.of(plain["node"]), "folders": tuple(plain["folders"])}
        return cls(**{**plain, **made})

    def on(self, plan: AddressPlan, node: NodePlan, data: Path) -> Cni:
        """The same with placeholders filled in for ``node``, which keeps leases in ``data``; ``ConfError``."""
        known = filling.values(plan, node)
        plugins = [filling.kept_in(one, data) for one in filling.fill(self.network.plugins, known)]
        network = conf.Network(
            self.network.name, self.network.version, tuple(plugins), self.network.disable_check, self.network.disable_gc
        )
        prepared = Preparation(
            self.node.bridge_netfilter,
            filling.fill(self.node.sysctls, known),
            filling.fill(self.node.nft, known),
            self.node.vxlan,
            self.node.host_macvlan,
        )
        return Cni(self.name, network, self.folders, prepared, self.dns)


def of_profile(profiles: Path, name: str, folders: Sequence[Path] = ()) -> Cni:
    """The kit's network ``name``, with plugins in ``folders`` or where they usually are; ``KitError``."""
    found = load(profiles, name)
    chosen = Cni(name, found.network, _folders(folders), found.node, found.dns)
    return _checked(chosen, f"The profile {name}")


def of_file(file: Path, folders: Sequence[Path] = ()) -> Cni:
    """The network that a conflist of the user's describes; ``KitError``.

    As kubeadm asks of every node, bridged packets pass the node's rules where the kernel has br_netfilter.
    """
    try:
        network = conf.parse(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.", "Name a conflist with --cni-conf.") from error
    except conf.ConfError as error:
        raise UsageError(f"{file} {error}.", "Correct it; docs/cni.md describes what the lab takes.") from error
    node = Preparation(bridge_netfilter=_BRIDGE_NETFILTER.is_dir())
    return _checked(Cni(network.name, network, _folders(folders), node), str(file))


def _folders(given: Sequence[Path]) -> tuple[str, ...]:
    for folder in given:
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}.", "Name one that has CNI plugins with --cni-bin.")
        if folder.resolve().is_relative_to("/run"):
            raise UsageError(
                f"The lab has a /run of its own, and would not see {folder}.", "Put the plugins elsewhere."
            )
    found = [str(folder.absolute()) for folder in given] or [folder for folder in USUAL if Path(folder).is_dir()]
    if not found:
        raise EnvironmentFault(
            f"The lab's CNI plugins are not installed: there is neither {' nor '.join(USUAL)}.",
            "Install the package containernetworking-plugins, or say where they are with --cni-bin.",
        )
    return tuple(found)


def _checked(cni: Cni, what: str) -> Cni:
    plan = AddressPlan(1)
    try:
        cni.on(plan, plan.nodes[0], Path("/"))
    except conf.ConfError as error:
        raise UsageError(f"{what} {error}.", "Correct it; docs/cni.md describes what the lab takes.") from error
    plugins = Plugins(cni.folders, _SECONDS)
    for kind in cni.network.types:
        program = plugins.find(kind)
        if program is None:
            raise UsageError(
                f"{what} needs the CNI plugin {kind}, which is not in {', '.join(cni.folders)}.",
                "Install it there, or say where it is with --cni-bin.",
            )
        check_program(kind, program, architecture(platform.machine()))
    if cni.node.bridge_netfilter and not _BRIDGE_NETFILTER.is_dir():
        raise EnvironmentFault(
            f"{what} needs the kernel's br_netfilter, as clusters with bridges do.",
            "Load it ('modprobe br_netfilter'), or take a network without bridges: --cni ptp.",
        )
    if _uses_iptables(cni.network) and shutil.which(_IPTABLES, path=search_path()) is None:
        raise EnvironmentFault(
            f"{what} uses iptables, which is not installed.", "Install the package iptables, or take another network."
        )
    asyncio.run(_speaks(cni.network, plugins))
    return cni


def _uses_iptables(network: conf.Network) -> bool:
    return any(
        (one["type"] in _CHOOSE and one.get("backend", _IPTABLES) == _IPTABLES)
        or (one.get("ipMasq") and one.get("ipMasqBackend", _IPTABLES) == _IPTABLES)
        for one in network.plugins
    )


async def _speaks(network: conf.Network, plugins: Plugins) -> None:
    """``KitError`` unless every plugin says that it speaks the network's version."""
    done = await asyncio.gather(*(_version(network, plugins, kind) for kind in network.types), return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException):
            raise one


async def _version(network: conf.Network, plugins: Plugins, kind: str) -> None:
    program = plugins.find(kind)
    again = f"Is {program} a CNI plugin, and whole? Install it again, or name another folder with --cni-bin."
    try:
        versions = spoken(await plugins.run(kind, "VERSION", {"cniVersion": network.version}))
    except PluginError as error:
        raise EnvironmentFault(f"{error}.", again) from error
    except ResultError as error:
        raise EnvironmentFault(f"{program} {error}.", again) from error
    if network.version not in versions:
        raise UsageError(
            f"The CNI plugin {program} does not speak version {network.version}, but {', '.join(versions)}.",
            "Change the conflist's cniVersion, or name a folder with newer plugins with --cni-bin.",
        )
