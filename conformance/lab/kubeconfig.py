"""Where an API server is and how to prove who we are: from a kubeconfig file or from a pod's service account."""

from __future__ import annotations

import base64
import binascii
import os
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.errors import ClusterError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class Connection:
    """One API server and one identity. ``server`` is its URL without a trailing slash; PEM texts are bytes.

    ``token_file`` is read again for every request, because a kubelet renews such files.
    """

    server: str
    ca: bytes = b""
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    server_name: str = ""
    insecure: bool = False

    def bearer(self) -> str:
        """The token to send now, empty when the identity is a client certificate."""
        return self.token_file.read_text().strip() if self.token_file else self.token

    def ssl_context(self) -> ssl.SSLContext:
        """A client context that trusts only ``ca`` (the system's roots when there is none)."""
        context = ssl.create_default_context(cadata=self.ca.decode() if self.ca else None)
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate:
            # OpenSSL takes a certificate chain from files only; the file lives as long as the call.
            with tempfile.NamedTemporaryFile(prefix="nftconform-") as pem:
                pem.write(self.certificate.rstrip() + b"\n" + self.key)
                pem.flush()
                context.load_cert_chain(pem.name)
        return context


def load(path: Path | None) -> Connection:
    """The connection of the kubeconfig at ``path``, or without one that of the pod we are in; ``ClusterError``."""
    return from_file(path) if path is not None else in_cluster()


def from_file(path: Path, context: str = "") -> Connection:
    """The connection of ``context`` (default: the current one) of the kubeconfig at ``path``; ``ClusterError``."""
    import yaml  # noqa: PLC0415  (a pod with a service account does not pay for it)

    try:
        document = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ClusterError(
            f"The kubeconfig {path} cannot be read: {error.strerror}.", "Name a readable file."
        ) from error
    except yaml.YAMLError as error:
        raise ClusterError(f"The kubeconfig {path} is not YAML.", "Check the file.") from error
    if not isinstance(document, dict):
        raise ClusterError(f"The kubeconfig {path} is empty or no mapping.", "Check the file.")
    chosen = _named(document, "contexts", "context", context or document.get("current-context") or "", path)
    cluster = _named(document, "clusters", "cluster", chosen.get("cluster", ""), path)
    user = _named(document, "users", "user", chosen["user"], path) if chosen.get("user") else {}
    token_file = user.get("tokenFile")
    return Connection(
        server=str(cluster.get("server", "")).rstrip("/"),
        ca=_material(cluster, "certificate-authority", path),
        certificate=_material(user, "client-certificate", path),
        key=_material(user, "client-key", path),
        token=str(user.get("token", "")),
        token_file=path.parent / token_file if token_file else None,
        server_name=str(cluster.get("tls-server-name", "")),
        insecure=bool(cluster.get("insecure-skip-tls-verify", False)),
    )


def in_cluster(environ: Mapping[str, str] = os.environ, mount: Path = SERVICE_ACCOUNT) -> Connection:
    """The connection that a kubelet gives every pod: environment variables and the service account's mount."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    token, ca = mount / "token", mount / "ca.crt"
    if not host or not token.exists():
        raise ClusterError("This process is not in a pod with a service account.", "Give it a kubeconfig.")
    return Connection(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        ca=ca.read_bytes() if ca.exists() else b"",
        token_file=token,
    )


def _named(document: dict[str, Any], kind: str, inner: str, name: str, path: Path) -> dict[str, Any]:
    for entry in document.get(kind) or ():
        if entry.get("name") == name:
            found: dict[str, Any] = entry.get(inner) or {}
            return found
    raise ClusterError(
        f"The kubeconfig {path} has no {inner} named {name!r}.", f"Add it under {kind}, or name another."
    )


def _material(section: dict[str, Any], name: str, path: Path) -> bytes:
    try:
        if inline := section.get(f"{name}-data"):
            return base64.b64decode(inline, validate=True)
        if file := section.get(name):
            return path.parent.joinpath(file).read_bytes()
    except (OSError, binascii.Error) as error:
        raise ClusterError(f"The kubeconfig {path} has an unusable {name}: {error}.", "Check the file.") from error
    return b""
