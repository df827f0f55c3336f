"""One stdlib-only Python file (>= 3.8), carried into pods: it answers, and it measures.

agent.py serve --port P --name N   answers on TCP and UDP, each connection and each datagram first with its name
agent.py measure                   takes a JSON line on stdin, does it, writes a JSON line, until stdin ends:
  {"op": "dial", "dials": [["TCP", ip, port], ...], "timeout": s}     > {"took": [nanoseconds, or -errno]}
  {"op": "overhead", "count": n}              > {"TCP": [...], "UDP": [...], "clock": [...]} on its own loopback
  {"op": "clock"}                             > {"now": nanoseconds since the epoch}
  {"op": "reach", "to": [ip, port], "name", "every": s, "limit": s}  > {"armed"}, then {"at": nanoseconds or null}
  {"op": "load", "to": [[ip, port], ...], "seconds", "width", "timeout"}  > {"opened", "refused", "lost", "took": ns}
  {"op": "flow", "to": [ip, port], "limit": s}  > {"armed"}; any line ends it: {"answers", "longest", ...}
  {"op": "page", "url", "prefixes": [...]}    > {"text": its lines that begin so, or null, "why"}
  {"op": "machine"}                           > {"machine": {...}}
A fault of one op is {"fault": words}.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import gc
import json
import os
import pathlib
import platform
import select
import socket
import struct
import sys
import time
import urllib.request
from typing import Any, Dict, Iterator, List, Tuple  # noqa: UP035  Python 3.8

Answer = Dict[str, Any]  # noqa: UP006
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends RST, so that no port is left in TIME_WAIT
RETRANSMITS = 100  # offset of tcpi_total_retrans in struct tcp_info (linux/tcp.h)
LONGEST_NAME = 253
FAILED = select.EPOLLERR | select.EPOLLHUP  # refused, or not even sent
HELD = 400  # attempts that wait for an answer at once


def serve(options: argparse.Namespace) -> None:
    """Datagrams have a process of their own, so that no connection delays them."""
    names = dict.fromkeys(options.port, options.name)
    names.update({port: f"{options.name}-{number}" for number, port in enumerate(options.fleet, 1)})
    (_connections if os.fork() else _datagrams)(names)


def _listening(kind: int, names: Dict[int, str]) -> Iterator[Tuple[socket.socket, bytes]]:  # noqa: UP006
    for port, name in names.items():
        for family in (socket.AF_INET, socket.AF_INET6):
            with contextlib.suppress(OSError):  # a namespace without IPv6; without IPv4 nobody would find us ready
                sock = socket.socket(family, kind)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.bind(("", port))
                yield sock, name.encode() + b"\n"


def _datagrams(names: Dict[int, str]) -> None:  # noqa: UP006
    ready, socks = select.epoll(), {}
    for sock, name in _listening(socket.SOCK_DGRAM, names):
        socks[sock.fileno()] = sock, name
        ready.register(sock.fileno(), select.EPOLLIN)
    while True:
        for number, _ in ready.poll():
            sock, name = socks[number]
            with contextlib.suppress(OSError):  # no way back to the client: it sees silence, which is the truth
                _, client = sock.recvfrom(2048)
                sock.sendto(name, client)


def _connections(names: Dict[int, str]) -> None:  # noqa: UP006
    ready, doors, rooms = select.epoll(), {}, {}
    for door, name in _listening(socket.SOCK_STREAM, names):
        door.listen(65535)
        door.setblocking(False)
        doors[door.fileno()] = door, name
        ready.register(door.fileno(), select.EPOLLIN)
    while True:
        for number, _ in ready.poll():
            if number in doors:
                door, name = doors[number]
                with contextlib.suppress(OSError):
                    room, _ = door.accept()
                    room.setblocking(False)
                    rooms[room.fileno()] = room
                    ready.register(room.fileno(), select.EPOLLIN)
                    room.send(name)
            elif not _echoed(rooms[number]):
                rooms.pop(number).close()


def _echoed(room: socket.socket) -> bool:
    with contextlib.suppress(OSError):
        data = room.recv(2048)
        return bool(data) and room.send(data) == len(data)
    return False


def measure(_options: argparse.Namespace) -> None:
    """One op a line. Memory is never collected meanwhile, and the process stays on one CPU."""
    gc.disable()
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    ops = {
        "dial": _dial,
        "overhead": _overhead,
        "clock": lambda _: {"now": time.time_ns()},
        "reach": _reach,
        "load": _load,
        "flow": _flow,
        "page": _page,
        "machine": _machine,
    }
    for line in iter(_line, b""):
        if not line.strip():
            continue  # the end of a flow that had ended by itself
        asked = json.loads(line)
        try:
            _say(ops[asked["op"]](asked))
        except OSError as fault:
            _say({"fault": f"{asked['op']}: {fault}"})
        gc.collect()


def _line() -> bytes:
    """Not by way of `sys.stdin`: what `_flow` waits for must not lie in its buffer already."""
    with open(0, "rb", buffering=0, closefd=False) as raw:
        return raw.readline()


def _say(answer: Answer) -> None:
    sys.stdout.write(json.dumps(answer, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def _family(ip: str) -> int:
    return socket.AF_INET6 if ":" in ip else socket.AF_INET


def _dial(asked: Answer) -> Answer:
    limit = struct.pack("ll", int(asked["timeout"]), int(asked["timeout"] % 1 * 1e6))
    return {"took": [_once(kind, (ip, port), limit) for kind, ip, port in asked["dials"]]}


def _once(kind: str, to: Tuple[str, int], limit: bytes) -> int:  # noqa: UP006
    """Nanoseconds of one first packet and its answer, or -errno. The socket blocks: the kernel keeps the limit."""
    tcp = kind == "TCP"
    with socket.socket(_family(to[0]), socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)  # of connect() as well
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        try:
            if tcp:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                began = time.perf_counter_ns()
                sock.connect(to)
                took = time.perf_counter_ns() - began
                sock.recv(LONGEST_NAME)  # the other side has done its part before the next dial begins
                return took
            began = time.perf_counter_ns()
            sock.sendto(b"?", to)
            sock.recv(LONGEST_NAME)
            return time.perf_counter_ns() - began
        except OSError as fault:
            return -(fault.errno or errno.EIO)


def _overhead(asked: Answer) -> Answer:
    """The loops of `_dial` against a process of our own, behind nothing but the loopback interface."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = []
    for part in (_connections, _datagrams):
        children.append(os.fork())
        if not children[-1]:
            with contextlib.suppress(KeyboardInterrupt):
                part({port: "self"})
            os._exit(0)
    limit, found = struct.pack("ll", 1, 0), {}
    try:
        for kind in ("TCP", "UDP"):
            deadline = time.monotonic() + 5
            while _once(kind, ("127.0.0.1", port), limit) < 0 and time.monotonic() < deadline:
                select.select([], [], [], 0.01)
            found[kind] = [_once(kind, ("127.0.0.1", port), limit) for _ in range(asked["count"])]
    finally:
        for child in children:
            os.kill(child, 9)
            os.waitpid(child, 0)
    clock = [-(time.perf_counter_ns() - time.perf_counter_ns()) for _ in range(asked["count"])]
    return dict(found, clock=clock)


def _attempt(to: Tuple[str, int]) -> socket.socket:  # noqa: UP006
    sock = socket.socket(_family(to[0]), socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.connect_ex(to)
    return sock


def _held() -> Dict[int, Tuple[socket.socket, Any]]:  # noqa: UP006
    """Attempts on their way by descriptor, with when they began."""
    return {}


def _reach(asked: Answer) -> Answer:
    """When the first of many attempts began that was answered, by the one of that name where one is given.

    A new one every ``every`` seconds. A SYN that was dropped is repeated after a second, and what that reaches was not
    there when the attempt began: it does not count.
    """
    _say({"armed": True})
    to, wanted = tuple(asked["to"]), asked.get("name", "")
    deadline, due = time.monotonic() + asked["limit"], 0.0
    ready, held = select.epoll(), _held()
    while time.monotonic() < deadline:
        now = time.monotonic()
        if now >= due:
            due, began = now + asked["every"], time.time_ns()
            sock = _attempt(to)
            held[sock.fileno()] = sock, began
            ready.register(sock.fileno(), select.EPOLLIN)
            if len(held) > HELD:
                held.pop(next(iter(held)))[0].close()
        for number, _ in ready.poll(max(0.0, due - time.monotonic())):
            sock, began = held.pop(number)
            with sock, contextlib.suppress(OSError):
                said = sock.recv(LONGEST_NAME).decode().strip()
                if said and wanted in ("", said) and not _repeated(sock):
                    for other, _ in held.values():
                        other.close()
                    return {"at": began}
    for sock, _ in held.values():
        sock.close()
    return {"at": None}


def _load(asked: Answer) -> Answer:
    """``width`` connections on their way at all times; each is closed when it stands."""
    targets, counts = [tuple(to) for to in asked["to"]], {"opened": 0, "refused": 0, "lost": 0}
    ready, held = select.epoll(), _held()
    began, index = time.perf_counter_ns(), 0
    while True:
        took = time.perf_counter_ns() - began
        going_on = took < asked["seconds"] * 1e9
        if not going_on and not held:
            return dict(counts, took=took)
        while going_on and len(held) < asked["width"]:
            sock = _attempt(targets[index % len(targets)])
            index += 1
            held[sock.fileno()] = sock, time.monotonic()
            ready.register(sock.fileno(), select.EPOLLOUT)
        for number, said in ready.poll(0.05):
            counts["refused" if said & FAILED else "opened"] += 1
            held.pop(number)[0].close()
        late = time.monotonic() - asked["timeout"]
        for number in [n for n, (_, since) in held.items() if since < late]:
            held.pop(number)[0].close()
            counts["lost"] += 1


def _flow(asked: Answer) -> Answer:
    """One connection, kept; what it takes to be answered again and again."""
    limit, ended, answers, longest = struct.pack("ll", 30, 0), "", 0, 0
    with socket.socket(_family(asked["to"][0]), socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect(tuple(asked["to"]))
        sock.recv(LONGEST_NAME)
        _say({"armed": True})
        began = time.perf_counter_ns()
        while time.perf_counter_ns() - began < asked["limit"] * 1e9:
            if select.select([sys.stdin], [], [], 0.001)[0]:
                _line()
                break
            sent = time.perf_counter_ns()
            try:
                sock.sendall(b"?")
                if not sock.recv(1):
                    ended = "closed by the other side"
            except OSError as fault:
                ended = fault.strerror or "broken"
            longest = max(longest, time.perf_counter_ns() - sent)
            if ended:
                break
            answers += 1
        again, took = _repeated(sock), time.perf_counter_ns() - began
    return {"answers": answers, "longest": longest, "retransmits": again, "took": took, "ended": ended}


def _repeated(sock: socket.socket) -> int:
    """How many segments the kernel has sent again on this connection, its SYN among them."""
    again: int = struct.unpack_from("I", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), RETRANSMITS)[0]
    return again


def _page(asked: Answer) -> Answer:
    try:
        with urllib.request.urlopen(asked["url"], timeout=10) as page:  # noqa: S310  the node's own loopback
            lines: List[str] = page.read().decode("utf-8", "replace").splitlines()  # noqa: UP006
    except OSError as fault:
        return {"text": None, "why": str(fault)}
    return {"text": "\n".join(line for line in lines if line.startswith(tuple(asked["prefixes"])))}


def _machine(_asked: Answer) -> Answer:
    """What decides how fast this machine is, as far as it can be read from here."""
    cpus, of = _file("/proc/cpuinfo").splitlines(), pathlib.Path("/sys/devices/system/cpu")
    governors = {_file(str(path)).strip() for path in of.glob("cpu*/cpufreq/scaling_governor")}
    models = {line.partition(":")[2].strip() for line in cpus if line.startswith("model name")}
    ticks = _file("/proc/stat").split("\n", 1)[0].split()
    found = {
        "kernel": platform.release(),
        "cpu": f"{os.cpu_count()} x {', '.join(sorted(models)) or platform.machine()}",
        "governor": ", ".join(sorted(governors)),
        "MHz": ", ".join(line.partition(":")[2].strip() for line in cpus if line.startswith("cpu MHz")),
        "load": " ".join(_file("/proc/loadavg").split()[:3]),
        "steal ticks": ticks[8] if len(ticks) > 8 else "",
        "python": platform.python_version(),
    }
    return {"machine": {name: value for name, value in found.items() if value}}


def _file(path: str) -> str:
    with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        return file.read()
    return ""


def _ports(text: str) -> range:
    """``9001:60`` are 60 ports from 9001 on."""
    first, count = map(int, text.split(":"))
    return range(first, first + count)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Answers, or measures, for nftconform bench.")
    modes = parser.add_subparsers(dest="mode", required=True)
    server = modes.add_parser("serve")
    server.add_argument("--port", type=int, action="append", required=True)
    server.add_argument("--name", default=socket.gethostname())
    server.add_argument("--fleet", type=_ports, default=range(0), metavar="FIRST:COUNT")
    server.set_defaults(run=serve)
    modes.add_parser("measure").set_defaults(run=measure)
    options = parser.parse_args()
    try:
        options.run(options)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
