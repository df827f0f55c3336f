"""Acting as somebody else (``kubectl --as``): the ``Impersonate-*`` headers, for those who may."""

from __future__ import annotations

from collections.abc import Iterator

from multidict import CIMultiDictProxy

from conformance.lab.api.authn import User, service_account
from conformance.lab.api.authz import Attributes, Authorizer, refusal
from conformance.lab.api.status import StatusError, internal_error

_SERVICE_ACCOUNT = "system:serviceaccount:"


def impersonated(authz: Authorizer, user: User, headers: CIMultiDictProxy[str]) -> User:
    """The user that a request acts as: its own, or another where the headers ask for it and RBAC allows it."""
    name = headers.get("Impersonate-User", "")
    groups = tuple(headers.getall("Impersonate-Group", []))
    if not name:
        if groups:
            raise internal_error("requested [] without impersonating a user")
        return user
    for asked in _needed(name, groups):
        if authz.allows(user, asked) is None:
            raise StatusError(403, "Forbidden", f'{asked.resource} "{asked.name}" is forbidden: {refusal(user, asked)}')
    if name.startswith(_SERVICE_ACCOUNT) and not groups:
        namespace, _, account = name.removeprefix(_SERVICE_ACCOUNT).partition(":")
        return service_account(namespace, account)
    everybody = "system:unauthenticated" if name == "system:anonymous" else "system:authenticated"
    return User(name, tuple(dict.fromkeys((*groups, everybody))), headers.get("Impersonate-Uid", ""))


def _needed(name: str, groups: tuple[str, ...]) -> Iterator[Attributes]:
    if name.startswith(_SERVICE_ACCOUNT):
        namespace, _, account = name.removeprefix(_SERVICE_ACCOUNT).partition(":")
        yield Attributes("impersonate", "", "serviceaccounts", namespace, account)
    else:
        yield Attributes("impersonate", "", "users", "", name)
    for group in groups:
        yield Attributes("impersonate", "", "groups", "", group)
