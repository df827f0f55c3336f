"""Serve or dial.

agent.py serve --port P ...   answers each line on a TCP connection, and each UDP datagram, with one JSON line:
                              who answers, the client's address as seen here, the address that was asked, the line.
  --fleet FIRST:COUNT         so many ports more, from FIRST on; on each it answers under a name of its own
                              With --sctp, INITs as well, in INIT ACKs.
agent.py dial                 takes JSON lines on stdin, writes JSON lines on stdout, ends when stdin ends:
  < {"op": "dial", "requests": [{"id", "ip", "port", "proto", "count", "parallel", "pace", "timeout", ...}]}
  < {"op": "cancel", "ids": [...]}
  > {"op": "hello", ...} once; {"op": "beat", ...} every second; {"op": "result", "id", "dials", ...} a request
A dial is [end, endpoint, source, source port, local, local port, icmp or null, began, took, detail, port,
retransmits]; icmp is [type, code, sender], and of an error about a packet's size also the MTU that it tells.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys

from conformance.probe.agent.console import dial
from conformance.probe.agent.server import serve


def _ports(text: str) -> range:
    """``9001:60`` are 60 ports from 9001 on."""
    first, count = map(int, text.split(":"))
    return range(first, first + count)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Answers, or dials, for nftconform.")
    modes = parser.add_subparsers(dest="mode", required=True)
    server = modes.add_parser("serve")
    server.add_argument("--port", type=int, action="append", required=True)
    server.add_argument("--sctp", action="store_true", help="answer SCTP as well, without the kernel's")
    server.add_argument("--fleet", type=_ports, default=range(0), metavar="FIRST:COUNT")
    server.add_argument("--name", default=os.environ.get("AGENT_NAME") or socket.gethostname())
    server.add_argument("--linger", type=float, default=0.0, metavar="SECONDS")
    server.add_argument("--ready-file", default="")
    server.set_defaults(run=serve)
    dialler = modes.add_parser("dial")
    dialler.add_argument("--width", type=int, default=64)
    dialler.set_defaults(run=dial)
    options = parser.parse_args()
    try:
        options.run(options)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as failure:
        sys.exit(f"agent: cannot {options.mode}: {failure}")


if __name__ == "__main__":
    main()
