"""What went wrong between us and the API server, as one sentence and a remedy; never a credential in it."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator

import urllib3

from conformance.errors import ClusterError

_NO_SUCH_API = "could not find the requested resource"


class ApiRefused(ClusterError):
    """The API server answered a request with an error: ``status``, and the API's own ``reason`` and message.

    ``fields`` are the paths that an Invalid answer blames (``status.details.causes[].field``). ``denied``: the
    credentials are at fault, whatever was asked.
    """

    def __init__(
        self, status: int, reason: str, message: str, hint: str, fields: tuple[str, ...] = (), *, denied: bool = False
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.reason = reason
        self.fields = fields
        self.denied = denied

    @property
    def decided(self) -> bool:
        """Whether the request itself was judged: the fault is neither the credentials' nor the server's own."""
        return not self.denied and self.status < 500 and self.status != 429 and _NO_SUCH_API not in self.cause


def refused(status: int, body: bytes, asked: str) -> ApiRefused:
    """The error for an answer outside 2xx; ``asked`` is verb and path."""
    reason, message = _status(body)
    said = f": {message}" if message else ""
    if status == 401:
        return ApiRefused(
            status,
            reason or "Unauthorized",
            f"The API server does not accept the credentials{said}.".replace("..", "."),
            "They may have expired: renew them in the kubeconfig (or log in again) and retry.",
            denied=True,
        )
    if status == 403:
        denied = re.search(r'cannot (\w+) resource "([^"]*)"(?: in API group "([^"]*)")?(.*)', message)
        if message and not denied:
            return ApiRefused(
                status,
                reason or "Forbidden",
                f"An admission of the API server forbids {asked}{said}.".replace("..", "."),
                "Permit it in the admission's own configuration, or use another cluster.",
            )
        what = f"{denied[1]} {denied[2]}{'.' + denied[3] if denied[3] else ''}{denied[4]}" if denied else asked
        return ApiRefused(
            status,
            reason or "Forbidden",
            f"The credentials do not permit to {what}.".replace("..", "."),
            "`nftconform rbac` prints all that a run needs; or use another context.",
            denied=True,
        )
    return ApiRefused(
        status,
        reason,
        f"The API server answered {status} {reason}".rstrip() + f" to {asked}{said}.".replace("..", "."),
        "See the API server's message; nothing was retried.",
        _blamed(body),
    )


def unreachable(failure: BaseException, server: str) -> ClusterError:
    """The error for an exchange that did not come to an answer, from the first cause in its chain that is known."""
    for cause in _causes(failure):
        known = _known(cause)
        if known:
            why, hint = known
            return ClusterError(f"Cannot reach the API server {server}: {why}.", hint)
    return ClusterError(
        f"Cannot reach the API server {server}: {type(failure).__name__}.", "Check the network path to it."
    )


def passes_by(failure: BaseException) -> bool:
    """Whether it is worth to ask again later: a certificate that is not trusted stays so."""
    return not any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(failure))


def _known(cause: BaseException) -> tuple[str, str] | None:
    address = "Check the server address in the kubeconfig and that the cluster is up."
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({cause.verify_message})",
            "Check certificate-authority-data in the kubeconfig, or that this is the right server.",
        )
    if isinstance(cause, ssl.SSLError):
        return f"TLS failed ({cause.reason or 'no reason given'})", "Check that the server speaks HTTPS on that port."
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused", address
    if isinstance(cause, socket.gaierror):
        return "its name does not resolve", "Check the server name in the kubeconfig and this machine's DNS."
    if isinstance(cause, TimeoutError | urllib3.exceptions.TimeoutError):
        return "no answer in time", "Check firewalls, VPN and proxy between here and the cluster."
    if isinstance(cause, ConnectionResetError | BrokenPipeError | urllib3.exceptions.ProtocolError):
        return "it closed the connection", address
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower(), address
    return None


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """The chain of ``failure``, innermost first; urllib3 also hides causes in ``reason`` and in arguments."""
    seen: list[BaseException] = []
    waiting: list[object] = [failure]
    while waiting:
        current = waiting.pop(0)
        if isinstance(current, BaseException) and current not in seen:
            seen.append(current)
            waiting += [getattr(current, "reason", None), *current.args, current.__cause__, current.__context__]
    return reversed(seen)


def _status(body: bytes) -> tuple[str, str]:
    """``reason`` and ``message`` of a metav1.Status; empty when the body is something else."""
    try:
        status = json.loads(body)
        return str(status.get("reason", "")), str(status.get("message", ""))
    except (ValueError, AttributeError):
        return "", ""


def _blamed(body: bytes) -> tuple[str, ...]:
    try:
        causes = (json.loads(body).get("details") or {}).get("causes") or []
        return tuple(str(cause.get("field", "")) for cause in causes)
    except (ValueError, AttributeError):
        return ()
