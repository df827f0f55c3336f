"""``nftconform lab``: an embedded cluster on this machine, and ways into it."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import replace
from pathlib import Path

import click

from conformance.cli.cni import CniOptions, listing
from conformance.cli.faults import fault
from conformance.cli.fetch import fetch
from conformance.cli.options import PROXY_MODES, chosen, kubernetes, kubernetes_options, lab_directory
from conformance.errors import EnvironmentFault, KitError, LabError, UsageError
from conformance.model.cluster import ProxyMode

_COMMAND = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.group()
def lab() -> None:
    """An embedded cluster on this machine: nodes, pods and external clients as network namespaces."""


@lab.command()
@lab_directory
@click.option("--nodes", default=3, show_default=True, help="How many nodes, 1 to 16.")
@click.option("--port", default=0, help="The API's port on 127.0.0.1.  [default: a free one]")
@click.option("--foreground", is_flag=True, help="Stay, and end the lab with Ctrl-C.")
@click.option("--bare", is_flag=True, help="Only the nodes and the network, no Kubernetes.")
@kubernetes_options
def up(
    folder: Path | None,
    nodes: int,
    port: int,
    foreground: bool,
    bare: bool,
    binaries: Path | None,
    proxy_mode: str | None,
    kube_proxy_config: Path | None,
    cni: CniOptions,
) -> None:
    """Start a lab."""
    from conformance.lab.launch.start import launch  # noqa: PLC0415

    if bare and binaries:
        raise UsageError("--bare is a lab without Kubernetes, --binaries one with it.", "Give one of them.")
    directory = chosen(folder)
    if bare and cni:
        raise UsageError("--bare is a lab without pods, --cni is about their network.", "Give one of them.")
    mode, real, network = kubernetes(binaries, proxy_mode, kube_proxy_config, cni)
    started = launch(
        directory,
        nodes=nodes,
        port=port,
        bare=bare,
        proxy_mode=mode,
        real=real,
        cni=network,
        progress=lambda text: click.echo(text, err=True),
    )
    try:
        click.echo(f"lab ready in {started.seconds:.1f} s: {started.summary}")
        if not bare:
            click.echo(f"try: kubectl --kubeconfig {_short(started.kubeconfig)} get pods -A")
        if not foreground:
            started.detach()
            return
        started.wait()
        click.echo("the lab has ended")
    except KeyboardInterrupt:
        started.stop()
        click.echo("the lab has been ended", err=True)


@lab.command()
@lab_directory
def down(folder: Path | None) -> None:
    """End the lab and everything in it."""
    from conformance.lab.launch.end import end  # noqa: PLC0415

    directory = chosen(folder)
    try:
        end(directory)
    except KitError:
        directory.remove_if_abandoned()
        raise
    click.echo("the lab has been ended")


@lab.command()
@lab_directory
def status(folder: Path | None) -> None:
    """Say what runs in the lab: nodes, pods, proxies, how long."""
    from conformance.lab.launch.overview import overview  # noqa: PLC0415

    for line in overview(chosen(folder)):
        click.echo(line)


@lab.command("exec", context_settings=_COMMAND)
@lab_directory
@click.argument("name")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(folder: Path | None, name: str, command: tuple[str, ...]) -> None:
    """Run COMMAND on a node (node-a), on an external client (x1), or in a pod (namespace/name).

    Input, output, signals and the exit code are the command's own.
    """
    from conformance.lab.launch.enter import run  # noqa: PLC0415

    if command[0] == "--":
        command = command[1:]
    if not command:
        raise click.UsageError("Give a command after the name.")
    run(chosen(folder), name, command)


@lab.command()
@lab_directory
@click.argument("name")
def shell(folder: Path | None, name: str) -> None:
    """A shell on a node, on an external client, or in a pod (namespace/name)."""
    from conformance.lab.launch.enter import run  # noqa: PLC0415

    run(chosen(folder), name, ["/bin/sh"] if "/" in name else [os.environ.get("SHELL", "/bin/sh")])


@lab.command(context_settings={**_COMMAND, "help_option_names": []})
@lab_directory
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def kubectl(folder: Path | None, arguments: tuple[str, ...]) -> None:
    """Run kubectl with the lab's kubeconfig."""
    from conformance.lab.launch.directory import required  # noqa: PLC0415

    directory = chosen(folder)
    required(directory)
    if not directory.kubeconfig.exists():
        raise LabError("This lab runs without Kubernetes.", "Start one without --bare.")
    program = shutil.which("kubectl")
    if program is None:
        raise EnvironmentFault("kubectl is not installed.", f"Use any client with {_short(directory.kubeconfig)}.")
    os.execve(program, [program, *arguments], {**os.environ, "KUBECONFIG": str(directory.kubeconfig)})  # noqa: S606


@lab.command()
@lab_directory
@click.argument("name", required=False)
def logs(folder: Path | None, name: str | None) -> None:
    """Print the log of a component, or of a pod (namespace/name); without a name, list the components."""
    from conformance.lab.launch.overview import component_logs, read_log  # noqa: PLC0415

    directory = chosen(folder)
    if name is None:
        for each in component_logs(directory):
            click.echo(each)
    else:
        click.echo(read_log(directory, name), nl=False)


@lab.command("proxy-mode")
@lab_directory
@click.option("--node", "nodes", multiple=True, help="Only the kube-proxy of this node; may be repeated.")
@click.argument("mode", type=click.Choice(PROXY_MODES))
def proxy_mode(folder: Path | None, nodes: tuple[str, ...], mode: str) -> None:
    """Change the mode of the lab's kube-proxies, one after the other; returns when each is ready in it.

    With --node the others stay as they are until they restart, as in a roll-out that has stopped half way.
    """
    from conformance.lab.client import ApiClient  # noqa: PLC0415
    from conformance.lab.launch.directory import required  # noqa: PLC0415
    from conformance.lab.launch.preflight import check_iptables  # noqa: PLC0415
    from conformance.lab.launch.proxy_mode import change  # noqa: PLC0415

    directory, wanted = chosen(folder), ProxyMode(mode)
    record = required(directory)
    if wanted is ProxyMode.IPTABLES:
        check_iptables(not record.version or os.geteuid() == 0)

    async def main() -> bool:
        async with ApiClient.from_kubeconfig(directory.kubeconfig) as client:
            return await change(client, wanted, nodes)

    changed = asyncio.run(main())
    if not nodes:
        directory.write(replace(record, mode=mode))
    where = f"kube-proxy on {', '.join(nodes)}" if nodes else "every kube-proxy"
    click.echo(f"{where} is {'now' if changed else 'already'} in {mode} mode")


lab.add_command(fault)
lab.add_command(fetch)
lab.add_command(listing)


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
