"""The pod networks that the kit brings: a conflist and what a node must be like, with what is known of each.

A profile is ``NAME.conflist`` and ``NAME.toml`` in ``fixtures/cni``: ``title``; ``compatible``; ``breaks``, what does
not hold in it; ``cases``, cells that show it; ``fails``, every case that a run finds broken, ``perhaps``, those that it
finds so by chance, and ``causes``, those of conformance/spec/causes.toml that its verdict names; ``dns = false`` where
cluster DNS cannot come up; and ``node``, see `Preparation`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.errors import UsageError
from conformance.lab.cni import conf


@dataclass(frozen=True, slots=True)
class Vxlan:
    """An overlay as flannel makes it: device ``vxlan.1``, routes and neighbours for every other node.

    ``addressed``: the device has an address of its own, which nodes use towards pods of other nodes.
    """

    mtu: int
    addressed: bool = True


@dataclass(frozen=True, slots=True)
class Preparation:
    """What the plugin's agent, or the installer, makes of a node.

    ``bridge_netfilter``: bridged packets pass the node's rules, which takes the kernel's br_netfilter. ``sysctls`` by
    name. ``nft`` is a file for nft. ``host_macvlan``: the node has a macvlan of its uplink too, to reach its pods by.
    """

    bridge_netfilter: bool = False
    sysctls: dict[str, str] = field(default_factory=dict)
    nft: str = ""
    vxlan: Vxlan | None = None
    host_macvlan: bool = False

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Preparation:
        """From TOML or ``dataclasses.asdict``; ``TypeError`` for what there is not."""
        vxlan = plain.get("vxlan")
        return cls(**{**plain, "vxlan": Vxlan(**vxlan) if vxlan else None})


@dataclass(frozen=True, slots=True)
class Profile:
    """One pod network of the kit's."""

    name: str
    title: str
    compatible: bool
    network: conf.Network
    node: Preparation
    breaks: str = ""
    cases: tuple[str, ...] = ()
    dns: bool = True
    fails: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


def load(folder: Path, name: str) -> Profile:
    """The profile ``name`` in ``folder``; ``UsageError`` when there is none."""
    there = names(folder)
    if name not in there:
        raise UsageError(f"There is no CNI profile {name!r}.", f"There are {', '.join(there)}.")
    said = tomllib.loads((folder / f"{name}.toml").read_text())
    node = Preparation.of(said.pop("node", {}))
    plain: dict[str, Any] = {key: tuple(one) if isinstance(one, list) else one for key, one in said.items()}
    network = conf.parse((folder / f"{name}.conflist").read_text())
    return Profile(name=name, network=network, node=node, **plain)


def names(folder: Path) -> tuple[str, ...]:
    """The profiles in ``folder``."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def profiles(folder: Path) -> tuple[Profile, ...]:
    """Every profile in ``folder``, the compatible ones first."""
    return tuple(sorted((load(folder, name) for name in names(folder)), key=lambda one: not one.compatible))
