"""The options that name a cluster, places to dial from and cases: the same for every command that asks one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from conformance.arrange.terms import Terms
from conformance.model.case import Profile

if TYPE_CHECKING:
    from conformance.lab.launch.directory import Directory
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
_PODS = (
    click.option("--lab", "in_lab", is_flag=True, help="Bring up an embedded cluster for the time of the command."),
    click.option("--nodes", default=3, show_default=True, type=click.IntRange(1, 16), help="Nodes of the lab."),
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
    terms: Terms = field(default_factory=Terms)

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
        if self.patience is not None:
            plain = replace(plain, patience=self.patience)
        return replace(plain, output_folder=str(output.resolve())) if output else plain


def cluster_options(command: F) -> F:
    """Which cluster is asked, what, and from where."""
    for option in reversed(_CLUSTER):
        command = option(command)
    return command


def pod_options(command: F) -> F:
    """The lab to bring, and what pods run: for commands that put pods into the cluster."""
    for option in reversed(_PODS):
        command = option(command)
    return command


def chosen(folder: Path | None) -> Directory:
    """The lab's folder that ``--dir`` names, or its default."""
    from conformance.lab.launch.directory import Directory  # noqa: PLC0415

    return Directory.chosen(folder)
