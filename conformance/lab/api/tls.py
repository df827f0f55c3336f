"""The server's TLS: a client may show a certificate, and what it shows must come from the cluster's authority."""

from __future__ import annotations

import ssl

from conformance.lab.api.config import Config

# OpenSSL's X509_V_FLAG_NO_CHECK_TIME: an expired certificate passes the handshake, so that the authenticator can answer
# 401 as the real server does; Python names no constant for it.
_NO_CHECK_TIME = 0x200000


def server_context(config: Config) -> ssl.SSLContext:
    """TLS for the listening sockets."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(config.client_ca))
    context.load_cert_chain(config.tls_cert, config.tls_key)
    context.verify_mode = ssl.CERT_OPTIONAL
    # in this order: the complement of a flag has only bits that have names
    context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return context


def kubelet_context(config: Config) -> ssl.SSLContext:
    """TLS towards kubelets; without their authority's certificate their names are not checked (as the real server)."""
    if config.kubelet_ca is None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context = ssl.create_default_context(cafile=str(config.kubelet_ca))
        context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    if config.kubelet_cert is not None:
        context.load_cert_chain(config.kubelet_cert, config.kubelet_key)
    return context
