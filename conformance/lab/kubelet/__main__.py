"""``python -m conformance.lab.kubelet``: the node agent's command line."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from conformance.errors import KitError
from conformance.lab.kubelet.agent import Agent, NetworkMaker
from conformance.lab.kubelet.network import BridgeNetwork
from conformance.lab.kubelet.node import VERSION, Settings

_FILE = click.Path(path_type=Path, dir_okay=False)


def _split(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


@click.command()
@click.option("--node", "name", required=True, help="Name of this node.")
@click.option("--kubeconfig", required=True, type=_FILE)
@click.option("--state", required=True, type=click.Path(path_type=Path, file_okay=False), help="A folder of its own.")
@click.option("--tls-cert", required=True, type=_FILE, help="Serving certificate.")
@click.option("--tls-key", required=True, type=_FILE)
@click.option("--client-ca", required=True, type=_FILE, help="Who may call: certificates of this authority.")
@click.option("--zone", default="", help="topology.kubernetes.io/zone.")
@click.option("--node-ip", "node_ips", required=True, callback=_split, help="The node's addresses, primary first.")
@click.option("--pod-cidrs", default="", callback=_split, help="Default: what the Node object says.")
@click.option("--cluster-dns", default="", callback=_split)
@click.option("--cluster-domain", default="cluster.local")
@click.option("--port", default=10250)
@click.option("--kubernetes-version", default=VERSION, help="What the node says it runs.")
@click.option("--cni", type=_FILE, help="The pod network, see conformance.lab.cni.place; default: a bridge of its own.")
@click.option("--verbose", is_flag=True)
def main(*, cni: Path | None, verbose: bool, **options: object) -> None:
    """Run the pods of one node as processes in namespaces."""
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    settings = Settings(**options)  # type: ignore[arg-type]  # click has checked each of them
    network: NetworkMaker = BridgeNetwork
    if cni is not None:
        # A bridge needs none of it.
        from conformance.lab.cni.network import CniNetwork  # noqa: PLC0415
        from conformance.lab.cni.place import Place  # noqa: PLC0415

        place = Place.read(cni)
        serves = any(plugin.get("capabilities", {}).get("portMappings") for plugin in place.cni.network.plugins)
        network = partial(CniNetwork, place)
        settings = replace(settings, network=place.cni.name, host_ports=serves)
    try:
        asyncio.run(_run(settings, network))
    except KitError as error:
        click.echo(f"{error.cause} {error.hint}", err=True)
        sys.exit(error.exit_code)


async def _run(settings: Settings, network: NetworkMaker) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await Agent(settings, network).run(stop)


if __name__ == "__main__":
    main()
