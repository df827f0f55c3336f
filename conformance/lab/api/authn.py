"""Who asks: a client certificate, a ServiceAccount's token, or nobody (system:anonymous)."""

from __future__ import annotations

import ssl
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache

from aiohttp.web import BaseRequest
from cryptography import x509
from cryptography.x509.oid import NameOID

from conformance.lab.api.resources import resource
from conformance.lab.api.status import unauthorized
from conformance.lab.api.store import Store
from conformance.lab.api.tokens import BadToken, Claims, TokenKey

_CACHED_TOKENS = 1024


@dataclass(frozen=True, slots=True)
class User:
    """An authenticated identity, with the groups that follow from it."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, list[str]] = field(default_factory=dict)


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


def service_account(namespace: str, name: str, uid: str = "", extra: dict[str, list[str]] | None = None) -> User:
    """The identity of a ServiceAccount."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(f"system:serviceaccount:{namespace}:{name}", groups, uid, extra or {})


class Authenticator:
    """Turns credentials into users; a credential that does not hold is 401, none at all is anonymous."""

    def __init__(self, store: Store, key: TokenKey) -> None:
        self._accounts = store.collection(resource("", "serviceaccounts"))
        self._pods = store.collection(resource("", "pods"))
        self._key = key
        self._claims: OrderedDict[str, Claims] = OrderedDict()

    def user(self, request: BaseRequest) -> User:
        """The user of a request."""
        header = request.headers.get("Authorization", "")
        if header[:7].lower() == "bearer ":
            return self.token_user(header[7:].strip())
        certificate = self._certificate(request)
        return certificate if certificate is not None else ANONYMOUS

    def token_user(self, token: str) -> User:
        """The user of a bearer token; 401 when it is expired, forged, or its ServiceAccount is gone."""
        claims = self._claims.get(token)
        if claims is None:
            try:
                claims = self._key.verify(token)
            except BadToken as error:
                raise unauthorized() from error
            self._claims[token] = claims
            if len(self._claims) > _CACHED_TOKENS:
                self._claims.popitem(last=False)
        if claims.expires <= time.time():
            raise unauthorized()
        account = self._accounts.get(claims.namespace, claims.account)
        if account is None or (claims.uid and account.obj["metadata"]["uid"] != claims.uid):
            raise unauthorized()
        extra = {"authentication.kubernetes.io/credential-id": [f"JTI={claims.token_id}"]}
        if claims.pod:
            pod = self._pods.get(claims.namespace, claims.pod)
            if pod is None or pod.obj["metadata"]["uid"] != claims.pod_uid:
                raise unauthorized()
            extra["authentication.kubernetes.io/pod-name"] = [claims.pod]
            extra["authentication.kubernetes.io/pod-uid"] = [claims.pod_uid]
        return service_account(claims.namespace, claims.account, account.obj["metadata"]["uid"], extra)

    def _certificate(self, request: BaseRequest) -> User | None:
        """The certificate's user: the handshake proved the chain, the dates are looked at again at each request."""
        transport = request.transport
        tls = transport.get_extra_info("ssl_object") if transport else None
        if not isinstance(tls, ssl.SSLObject):
            return None
        der = tls.getpeercert(binary_form=True)
        if der is None:
            return None
        user, begins, ends = _read(der)
        if not begins <= time.time() <= ends:
            raise unauthorized()
        return user


@lru_cache(maxsize=256)
def _read(der: bytes) -> tuple[User, float, float]:
    certificate = x509.load_der_x509_certificate(der)
    names = [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    groups = [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    user = User(names[0] if names else "", (*groups, "system:authenticated"))
    return user, certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
