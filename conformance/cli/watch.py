"""``nftconform watch``: traffic to Services that goes on while a command does something to the cluster."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console

from conformance.cli.cni import CniOptions
from conformance.cli.options import Given, fact_option
from conformance.cli.there import settled
from conformance.errors import EnvironmentFault, UsageError
from conformance.judge.conclusion import Conclusion
from conformance.judge.outages import Outage, worst
from conformance.kit import put_on_path
from conformance.model.case import Profile

_ALIKE = ("CIP-01", "EIP-01", "NP-01")
"""Cases that ask for what is watched, and so take the same permissions."""
_STANDARD_ERROR = 2
_COMMAND = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command(context_settings=_COMMAND)
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="The cluster to ask [$KUBECONFIG, ~/.kube/config].")
@click.option("--context", help="The kubeconfig's context [its current one].")
@click.option(
    "--external",
    "externals",
    multiple=True,
    metavar="NAME[@NODE]=HOW",
    help="A client outside the cluster; HOW is local, ssh://[USER@]HOST or exec:COMMAND PREFIX.",
)
@fact_option
@click.option("--agent-image", help="The image with python3 that pods run.")
@click.option(
    "--node-access",
    type=click.Choice(["none", "kube-proxy"]),
    default="none",
    show_default=True,
    help="Say also which modes' rules the nodes have before and after, by exec in kube-proxy's pods.",
)
@click.option(
    "--every",
    type=click.FloatRange(0.01, 1.0),
    default=0.05,
    show_default=True,
    help="Seconds between two new connections of a lane.",
)
@click.option(
    "--after",
    type=click.FloatRange(0),
    default=10.0,
    show_default=True,
    help="Seconds to go on when COMMAND has ended.",
)
@click.option(
    "--most",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="The longest outage of a lane that is no failure; a flow that breaks always is one then.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; what COMMAND prints goes to standard error.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def watch(
    kubeconfig: Path | None,
    context: str | None,
    externals: tuple[str, ...],
    told: tuple[str, ...],
    agent_image: str | None,
    node_access: str,
    every: float,
    after: float,
    most: float | None,
    as_json: bool,
    command: tuple[str, ...],
) -> int:
    """Keep flows and new connections to Services going while COMMAND runs, and say what was lost, and for how long.

    This is how a change of kube-proxy's mode is checked, or an upgrade, or a node that is drained: COMMAND is what you
    do to the cluster, or `sleep 600` while you do it by hand. It finds the cluster in $KUBECONFIG, but does not know of
    --context: have it name the same.

    Exit codes: 0 all is served at the end, and no outage was longer than --most; 1 not so, or rules of two modes are on
    a node; 2 a lane could not be watched; 3 usage or environment, or COMMAND failed.
    """
    words = command[1:] if command[0] == "--" else command
    if not words:
        raise UsageError("There is no command to run.", "For example: nftconform watch -- sleep 60")
    put_on_path()
    # Importable only after put_on_path.
    from fixtures.watching import watching  # noqa: PLC0415
    from reports import watch as report  # noqa: PLC0415

    given = Given(
        kubeconfig,
        context,
        _ALIKE,
        Profile.CORE.value,
        externals,
        told,
        agent_image,
        node_access=node_access,
    )

    def say(text: str) -> None:
        click.echo(text, err=True)

    environment = {**os.environ, **({"KUBECONFIG": str(kubeconfig.resolve())} if kubeconfig else {})}
    with (
        settled(
            given.choice(), in_lab=False, nodes=0, wanted=(None, None, None, CniOptions(None, None, ()))
        ) as settings,
        watching(settings, every, say, say) as (under_way, there),
    ):
        before = there.rules_of_modes()
        under_way.begin()
        say(f"watching {len(under_way)} lanes")
        code, seconds = _run(words, environment, quiet=as_json)
        say(f"the command ended with {code} after {seconds:.1f} s; watching {after:g} s more")
        under_way.end(after)
        outages, modes = under_way.outages(), there.rules_of_modes()
    told_ = report.Told(words, code, seconds, tuple(outages), before, modes)
    if as_json:
        click.echo(report.as_json(told_))
    else:
        report.show(Console(highlight=False), told_)
    return _exit_code(code, outages, most, modes)


def _run(words: Sequence[str], environment: Mapping[str, str], *, quiet: bool) -> tuple[int, float]:
    """The command's exit code, and how long it took; ``quiet``: what it prints goes to standard error."""
    began = time.monotonic()
    try:
        code = subprocess.run(words, env=environment, stdout=_STANDARD_ERROR if quiet else None, check=False).returncode
    except OSError as failure:
        raise EnvironmentFault(f"{words[0]} cannot be started: {failure.strerror}.", "Is it on the path?") from None
    return code, time.monotonic() - began


def _exit_code(code: int, outages: Sequence[Outage], most: float | None, modes: Mapping[str, str]) -> int:
    if code:
        return EnvironmentFault.exit_code
    if worst(outages, most) or any(" + " in found for found in modes.values()):
        return Conclusion.FAILED.value
    if any(one.trouble for one in outages):
        return Conclusion.PARTIAL.value
    return Conclusion.CONFORMANT.value
