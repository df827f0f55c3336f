"""The options that name a cluster, places to dial from and cases: the same for every command that asks one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from conformance.arrange.terms import Terms
from conformance.cli.cni import CniOptions, cni_options
from conformance.errors import UsageError
from conformance.model.case import Profile
from conformance.model.cluster import ProxyMode

if TYPE_CHECKING:
    from conformance.lab.cni.choice import Cni
    from conformance.lab.launch.directory import Directory
    from conformance.lab.real.choice import Real
    from fixtures.settings import Choice

F = TypeVar("F", bound=Callable[..., Any])

lab_directory = click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The lab's folder.  [default: $NFTCONFORM_LAB or .lab]",
)

fact_option = click.option(
    "--fact",
    "told",
    multiple=True,
    metavar="NAME=VALUE",
    help="A fact of the cluster that the kit cannot learn, or learns wrongly; may be repeated.",
)
_CLUSTER = (
    click.option(
        "--kubeconfig", type=click.Path(path_type=Path), help="The cluster to ask [$KUBECONFIG, ~/.kube/config]."
    ),
    click.option("--context", help="The kubeconfig's context [its current one]."),
    click.option(
        "--case", "cases", multiple=True, metavar="ID", help="Only this case, matrix or cell; may be repeated."
    ),
    click.option(
        "--profile",
        type=click.Choice([p.value for p in Profile]),
        default=Profile.KUBE_PROXY_NFTABLES.value,
        show_default=True,
        help="Whose promises are asked.",
    ),
    click.option(
        "--external",
        "externals",
        multiple=True,
        metavar="NAME[@NODE]=HOW",
        help="A client outside the cluster; HOW is local, ssh://[USER@]HOST or exec:COMMAND PREFIX.",
    ),
    fact_option,
)
PROXY_MODES = (ProxyMode.NFTABLES.value, ProxyMode.IPTABLES.value)
_KUBERNETES = (
    click.option(
        "--binaries",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The lab runs the real etcd, kube-apiserver, kube-controller-manager and kube-proxy in DIR.",
    ),
    click.option(
        "--proxy-mode", type=click.Choice(PROXY_MODES), help="The mode of the lab's kube-proxy.  [default: nftables]"
    ),
    click.option(
        "--kube-proxy-config",
        type=click.Path(path_type=Path),
        metavar="F",
        help="A KubeProxyConfiguration for the real kube-proxy, merged over the lab's.",
    ),
)
_PODS = (
    click.option("--lab", "in_lab", is_flag=True, help="Bring up an embedded cluster for the time of the command."),
    click.option("--nodes", default=3, show_default=True, type=click.IntRange(1, 16), help="Nodes of the lab."),
    *_KUBERNETES,
    click.option("--agent-image", help="The image with python3 that pods run."),
)


@dataclass(frozen=True, slots=True)
class Given:
    """What the options say."""

    kubeconfig: Path | None
    context: str | None
    cases: tuple[str, ...]
    profile: str
    externals: tuple[str, ...]
    told: tuple[str, ...]
    agent_image: str | None = None
    trust: int | None = None
    patience: float | None = None
    node_access: str | None = None
    outage: float | None = None
    terms: Terms = field(default_factory=Terms)
    evidence: str | None = None

    def choice(self, output: Path | None = None) -> Choice:
        """The same as the fixtures take it; to be called after `put_on_path`."""
        from fixtures.settings import Choice  # noqa: PLC0415  importable only after put_on_path

        plain = Choice(
            kubeconfig=str(self.kubeconfig) if self.kubeconfig else None,
            context=self.context,
            cases=self.cases,
            profile_name=self.profile,
            externals=self.externals,
            told=self.told,
            agent_image=self.agent_image,
            terms=self.terms,
        )
        if self.trust is not None:
            plain = replace(plain, trust=self.trust)
        if self.node_access is not None:
            plain = replace(plain, node_access=self.node_access)
        if self.evidence is not None:
            plain = replace(plain, evidence=self.evidence)
        if self.outage is not None:
            plain = replace(plain, outage=self.outage)
        if self.patience is not None:
            plain = replace(plain, patience=self.patience)
        return replace(plain, output_folder=str(output.resolve())) if output else plain


def cluster_options(command: F) -> F:
    """Which cluster is asked, what, and from where."""
    for option in reversed(_CLUSTER):
        command = option(command)
    return command


def pod_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The lab to bring, and what pods run: for commands that put pods into the cluster."""
    command = cni_options(command)
    for option in reversed(_PODS):
        command = option(command)
    return command


def kubernetes_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What Kubernetes the lab has, and which pod network."""
    command = cni_options(command)
    for option in reversed(_KUBERNETES):
        command = option(command)
    return command


KubernetesOptions = tuple[Path | None, str | None, Path | None, CniOptions]
"""``--binaries``, ``--proxy-mode``, ``--kube-proxy-config``, and those of the pod network."""


def kubernetes(
    binaries: Path | None, proxy_mode: str | None, config: Path | None, cni: CniOptions
) -> tuple[ProxyMode, Real | None, Cni | None]:
    """kube-proxy's mode, the real programs and the pod network if these options ask for them, checked. ``KitError``."""
    said = ProxyMode(proxy_mode) if proxy_mode else None
    if binaries is None:
        if config:
            raise UsageError("--kube-proxy-config is for a real kube-proxy.", "Say where it is with --binaries.")
        return said or ProxyMode.NFTABLES, None, cni.choice()
    # Only a lab needs Linux.
    from conformance.lab.real.choice import choose  # noqa: PLC0415

    return *choose(binaries, said, config), cni.choice()


def chosen(folder: Path | None) -> Directory:
    """The lab's folder that ``--dir`` names, or its default."""
    from conformance.lab.launch.directory import Directory  # noqa: PLC0415

    return Directory.chosen(folder)
