"""A UDP and TCP server that says its name and whom it saw, and a client that tells how each dial ended.

``talk.py serve NAME ADDRESS PORT`` | ``talk.py dial tcp|udp ADDRESS PORT`` | ``talk.py flow ADDRESS PORT SOURCE_PORT``
"""

from __future__ import annotations

import socket
import sys
import threading
import time

_PATIENCE = 1.5


def serve(name: str, address: str, port: int) -> None:
    """Answer every datagram and connection on ``address`` until killed."""
    stream = socket.create_server((address, port))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind((address, port))

    def answer_datagrams() -> None:
        while True:
            _, peer = datagrams.recvfrom(100)
            datagrams.sendto(f"{name} {peer[0]}".encode(), peer)

    threading.Thread(target=answer_datagrams, daemon=True).start()
    print("ready", flush=True)
    while True:
        connection, peer = stream.accept()
        with connection:
            connection.sendall(f"{name} {peer[0]}".encode())


def dial(protocol: str, address: str, port: int) -> str:
    """``NAME SEEN-SOURCE``, ``refused`` or ``silence``."""
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as link:
        link.settimeout(_PATIENCE)
        return _ask(link, address, port, protocol)


def _ask(link: socket.socket, address: str, port: int, protocol: str) -> str:
    try:
        link.connect((address, port))
        if protocol == "udp":
            link.send(b"?")
        return link.recv(100).decode()
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "silence"


def flow(address: str, port: int, source_port: int) -> None:
    """One datagram after the other from the same port for ever, and a line for the end of each."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.bind(("", source_port))
            link.settimeout(0.3)
            print(_ask(link, address, port, "udp"), flush=True)
        time.sleep(0.1)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", name, address, port]:
            serve(name, address, int(port))
        case ["dial", protocol, address, port]:
            print(dial(protocol, address, int(port)))
        case ["flow", address, port, source_port]:
            flow(address, int(port), int(source_port))
        case _:
            sys.exit(__doc__)
