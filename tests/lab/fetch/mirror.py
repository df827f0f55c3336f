"""A mirror of the release locations on this machine, which can be told to misbehave."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from conformance.lab.fetch.release import FROM_KUBERNETES

VERSION, ETCD_VERSION = "v1.36.2", "v3.6.8"
STEM = f"etcd-{ETCD_VERSION}-linux-amd64"
TARBALL = f"/etcd/{ETCD_VERSION}/{STEM}.tar.gz"
BINARIES = {name: f"#!{name}\n".encode() * 10_000 for name in (*FROM_KUBERNETES, "etcd")}


def path_of(program: str) -> str:
    return f"/kubernetes/{VERSION}/bin/linux/amd64/{program}"


def tarball(*members: tarfile.TarInfo, etcd: str = f"{STEM}/etcd") -> bytes:
    """A release of etcd, with ``members`` before the program itself."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        for member in members:
            archive.addfile(member)
        program = tarfile.TarInfo(etcd)
        program.size = len(BINARIES["etcd"])
        archive.addfile(program, io.BytesIO(BINARIES["etcd"]))
    return whole.getvalue()


@dataclass
class Mirror:
    """Its files by path; how many bytes of an answer it sends before it hangs up; what it was asked, and from where."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    ranges: bool = True

    def put(self, path: str, content: bytes) -> None:
        """A download, with its checksum where the official locations have it."""
        self.files[path] = content
        if path == TARBALL:
            line = f"{hashlib.sha256(content).hexdigest()}  {STEM}.tar.gz\n"
            self.files[f"/etcd/{ETCD_VERSION}/SHA256SUMS"] = f"{'0' * 64}  another.tar.gz\n{line}".encode()
        else:
            self.files[f"{path}.sha512"] = hashlib.sha512(content).hexdigest().encode()

    @property
    def options(self) -> list[str]:
        return [f"--base-url={self.url}/kubernetes", f"--etcd-base-url={self.url}/etcd/"]

    @property
    def downloads(self) -> list[str]:
        """What was asked for besides checksums."""
        return [path.rpartition("/")[2] for path, _ in self.asked if "sha" not in path.lower()]


@contextmanager
def serving() -> Iterator[Mirror]:
    mirror = Mirror()
    for program in FROM_KUBERNETES:
        mirror.put(path_of(program), BINARIES[program])
    mirror.put(TARBALL, tarball())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("range", "")
            mirror.asked.append((self.path, wanted))
            content = mirror.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and mirror.ranges else 0
            if start and start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("content-length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start : mirror.cut.pop(self.path, None)])

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        mirror.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield mirror
        server.shutdown()
        thread.join()
