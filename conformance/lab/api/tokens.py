"""ServiceAccount tokens: JSON web tokens (RFC 7519) signed with the cluster's key (RS256 or ES256)."""

from __future__ import annotations

import base64
import binascii
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

ISSUER = "https://kubernetes.default.svc.cluster.local"


class BadToken(Exception):
    """The token is no token of this cluster."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says; ``expires`` in seconds of the epoch."""

    namespace: str
    account: str
    uid: str
    expires: float
    audiences: tuple[str, ...]
    token_id: str = ""
    pod: str = ""
    pod_uid: str = ""


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class TokenKey:
    """The key that signs and verifies."""

    def __init__(self, pem: bytes) -> None:
        key = serialization.load_pem_private_key(pem, None)
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise TypeError(f"a ServiceAccount key is RSA or ECDSA, not {type(key).__name__}")
        self._key = key
        self._algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"

    def sign(self, claims: Claims) -> str:
        """The token that says these claims."""
        issued = int(time.time())
        inner: dict[str, Any] = {
            "namespace": claims.namespace,
            "serviceaccount": {"name": claims.account, "uid": claims.uid},
        }
        if claims.pod:
            inner["pod"] = {"name": claims.pod, "uid": claims.pod_uid}
        payload = {
            "aud": list(claims.audiences),
            "exp": int(claims.expires),
            "iat": issued,
            "nbf": issued,
            "iss": ISSUER,
            "jti": claims.token_id or str(uuid.uuid4()),
            "kubernetes.io": inner,
            "sub": f"system:serviceaccount:{claims.namespace}:{claims.account}",
        }
        header = {"alg": self._algorithm, "typ": "JWT"}
        signed = f"{_encode(json.dumps(header).encode())}.{_encode(json.dumps(payload).encode())}"
        return f"{signed}.{_encode(self._signature(signed.encode()))}"

    def verify(self, token: str) -> Claims:
        """The claims of a token that this key signed, expired or not; BadToken for any other."""
        signed, _, signature = token.rpartition(".")
        try:
            self._check(_decode(signature), signed.encode())
            payload = json.loads(_decode(signed.partition(".")[2]))
            inner = payload["kubernetes.io"]
            return Claims(
                inner["namespace"],
                inner["serviceaccount"]["name"],
                inner["serviceaccount"].get("uid", ""),
                float(payload["exp"]),
                tuple(payload.get("aud", ())),
                payload.get("jti", ""),
                inner.get("pod", {}).get("name", ""),
                inner.get("pod", {}).get("uid", ""),
            )
        except (InvalidSignature, binascii.Error, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadToken(str(error)) from error

    def _signature(self, data: bytes) -> bytes:
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def _check(self, signature: bytes, data: bytes) -> None:
        if isinstance(self._key, rsa.RSAPrivateKey):
            self._key.public_key().verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        else:
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            self._key.public_key().verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
