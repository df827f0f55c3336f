"""The command line of the API server.

``python -m conformance.lab.api --listen 127.0.0.1:0 --state DIR`` makes throw-away certificates in DIR, writes
DIR/kubeconfig for an administrator (group system:masters) and serves.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from ipaddress import ip_network
from pathlib import Path

import click

from conformance.lab.api.certificates import Authority, private_key
from conformance.lab.api.config import Config, Network
from conformance.lab.api.server import ApiServer

_File = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--fd", "fds", type=int, multiple=True, help="A listening socket that is already open.")
@click.option("--listen", "addresses", multiple=True, help="HOST:PORT to listen on; port 0 takes a free one.")
@click.option(
    "--state", type=click.Path(file_okay=False, path_type=Path), help="Make certificates and a kubeconfig here."
)
@click.option("--tls-cert", type=_File)
@click.option("--tls-key", type=_File)
@click.option("--client-ca", type=_File, help="Who signs client certificates.")
@click.option("--sa-key", type=_File, help="Signs and verifies ServiceAccount tokens.")
@click.option(
    "--service-cidr",
    "service_cidrs",
    callback=lambda _context, _option, text: _networks(text),
    default="10.96.0.0/16,fd00:96::/112",
    help="The first one is the default family.",
)
@click.option(
    "--node-port-range",
    "node_ports",
    callback=lambda _context, _option, text: _range(text),
    default="30000-32767",
)
@click.option("--kubelet-client-cert", type=_File)
@click.option("--kubelet-client-key", type=_File)
@click.option("--kubelet-ca", type=_File)
@click.option("--kubelet-port", default=10250)
@click.option("--advertise", default="", help="HOST:PORT of the endpoint of Service default/kubernetes.")
@click.option(
    "--faults", type=click.Path(file_okay=False, path_type=Path), help="The lab's switchboard; without it, none is on."
)
@click.option("--history", default=10_000, help="Changes kept per resource; an older watch gets 410.")
def main(
    *,
    fds: tuple[int, ...],
    addresses: tuple[str, ...],
    state: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    client_ca: Path | None,
    sa_key: Path | None,
    service_cidrs: tuple[Network, ...],
    node_ports: tuple[int, int],
    kubelet_client_cert: Path | None,
    kubelet_client_key: Path | None,
    kubelet_ca: Path | None,
    kubelet_port: int,
    advertise: str,
    faults: Path | None,
    history: int,
) -> None:
    """An embedded Kubernetes API server; everything is kept in memory."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    sockets = [socket.socket(fileno=fd) for fd in fds] + [_listening(each) for each in addresses]
    if not sockets:
        raise click.UsageError("Nothing to listen on: give --fd or --listen.")
    if state is not None and tls_cert is None:
        tls_cert, tls_key, client_ca, sa_key = _throw_away(state, sockets[0].getsockname())
    if tls_cert is None or tls_key is None or client_ca is None or sa_key is None:
        raise click.UsageError("Give --tls-cert, --tls-key, --client-ca and --sa-key, or --state alone.")
    host, _, port = advertise.rpartition(":")
    name = sockets[0].getsockname()
    config = Config(
        tls_cert=tls_cert,
        tls_key=tls_key,
        client_ca=client_ca,
        sa_key=sa_key,
        service_cidrs=service_cidrs,
        node_ports=node_ports,
        advertise=(host.strip("[]"), int(port)) if host else (name[0], name[1]),
        kubelet_cert=kubelet_client_cert,
        kubelet_key=kubelet_client_key,
        kubelet_ca=kubelet_ca,
        kubelet_port=kubelet_port,
        history=history,
        faults=faults,
    )
    asyncio.run(_serve(config, sockets))


def _listening(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise click.UsageError(f"Cannot listen on {address}: it is not HOST:PORT.")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family, backlog=256)
    except OSError as error:
        raise click.UsageError(f"Cannot listen on {address}: {error}. Give a free address.") from error


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(each) for each in text.split(","))
    except ValueError as error:
        raise click.BadParameter(f"{error}. Give one network, or one of each family with a comma between.") from error


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not (first.isdigit() and last.isdigit() and 0 < int(first) <= int(last) <= 65535):
        raise click.BadParameter(f"{text} is no range of ports. Give FIRST-LAST, as 30000-32767.")
    return int(first), int(last)


def _throw_away(state: Path, name: tuple[str, int]) -> tuple[Path, Path, Path, Path]:
    authority = Authority(state)
    hosts = (name[0], "127.0.0.1", "::1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
    certificate, key = authority.issue("apiserver", "kube-apiserver", hosts=tuple(dict.fromkeys(hosts)))
    signing = state / "sa.key"
    signing.touch(mode=0o600)
    signing.write_bytes(private_key())
    admin = authority.issue("admin", "kubernetes-admin", ("system:masters",))
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    authority.kubeconfig(state / "kubeconfig", f"https://{host}:{name[1]}", *admin)
    return certificate, key, authority.path, signing


async def _serve(config: Config, sockets: list[socket.socket]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await ApiServer(config).serve(sockets, stop)
