"""One file over HTTP into another, going on where an earlier attempt ended. Proxies as the environment names them."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conformance.errors import DownloadError

SECONDS = 30.0
"""Of silence, after which a server is given up."""
PIECE = 1 << 18
SMALL = 1 << 16
_GOING_ON = "Run the same command again: it goes on where it ended."

Advance = Callable[[int, int | None], None]
"""Called with the bytes that are there, and how many there will be where that is known."""


class NotThere(DownloadError):
    """The server has no such file."""


def text(url: str) -> str:
    """A small file, at most its first 64 KiB."""
    with _answer(url, 0) as answer, _lost(url, ""):
        return str(answer.read(SMALL).decode("utf-8", "replace"))


def download(url: str, part: Path, advance: Advance) -> None:
    """Make ``part`` the whole file of ``url``; what it holds already is not asked for again.

    `NotThere`, or `DownloadError` for every other failure of the network, which leaves what came. An `OSError` is of
    ``part`` alone.
    """
    had = part.stat().st_size if part.exists() else 0
    with _answer(url, had) as answer:
        resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        done = had if resumed else 0
        size = answer.headers.get("content-length", "")
        total = done + int(size) if size.isdigit() else None
        with part.open("ab" if resumed else "wb") as file:
            advance(done, total)
            while piece := _read(answer, url):
                file.write(piece)
                done += len(piece)
                advance(done, total)
    if total is not None and done != total:
        raise DownloadError(f"{url} ended after {done:,} of {total:,} bytes.", _GOING_ON)


def _read(answer: Any, url: str) -> bytes:  # noqa: ANN401  urlopen's answer has no type of its own
    with _lost(url, _GOING_ON):
        return bytes(answer.read(PIECE))


@contextmanager
def _answer(url: str, had: int) -> Iterator[Any]:
    """The open answer, from byte ``had`` on where the server can; from the start where it has no more than that."""
    with _lost(url, "Check the network, or name a mirror with --base-url and --etcd-base-url."):
        opened = _open(url, had)
    with opened:
        yield opened


def _open(url: str, had: int) -> Any:  # noqa: ANN401
    headers = {"user-agent": "nftconform"} | ({"range": f"bytes={had}-"} if had else {})
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  release.artifacts lets only HTTP through
    try:
        return urllib.request.urlopen(request, timeout=SECONDS)  # noqa: S310
    except urllib.error.HTTPError as no:
        with no:
            if had and no.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return _open(url, 0)
            said = f"{no.code} {no.reason}".strip()
        if no.code == http.HTTPStatus.NOT_FOUND:
            raise NotThere(
                f"There is no {url} ({said}).", "Check --version, --etcd-version, --arch and the mirror's layout."
            ) from None
        raise DownloadError(f"{url} answered {said}.", "Check the address, the proxy, and what they permit.") from None


@contextmanager
def _lost(url: str, hint: str) -> Iterator[None]:
    """Every way in which a connection fails, as one sentence."""
    try:
        yield
    except urllib.error.URLError as failure:
        raise DownloadError(f"{url} cannot be fetched: {_why(failure.reason)}.", hint) from None
    except (http.client.HTTPException, OSError) as failure:
        raise DownloadError(f"{url} broke off: {_why(failure)}.", hint) from None


def _why(failure: object) -> str:
    if isinstance(failure, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({failure.verify_message})"
    if isinstance(failure, TimeoutError):
        return f"nothing came for {SECONDS:.0f} s"
    if isinstance(failure, OSError) and failure.strerror:
        return failure.strerror.lower()
    return str(failure) or type(failure).__name__
