"""Questions about access and identity: access reviews, rules reviews, token reviews."""

from __future__ import annotations

from typing import Any

from aiohttp.web import Response

from conformance.lab.api.authn import Authenticator, User
from conformance.lab.api.authz import Attributes, Authorizer
from conformance.lab.api.call import Call, respond
from conformance.lab.api.status import StatusError, bad_request

Json = dict[str, Any]


class Reviews:
    """The handler of the resources that are only ever created."""

    kinds = frozenset(
        {
            "localsubjectaccessreviews",
            "selfsubjectaccessreviews",
            "selfsubjectreviews",
            "selfsubjectrulesreviews",
            "subjectaccessreviews",
            "tokenreviews",
        }
    )

    def __init__(self, authn: Authenticator, authz: Authorizer) -> None:
        self._authn = authn
        self._authz = authz

    async def create(self, call: Call) -> Response:
        """The review with its answer in the status."""
        body = await call.body()
        spec: Json = body.setdefault("spec", {})
        res = call.target.resource
        match res.plural:
            case "selfsubjectaccessreviews":
                status = self._access(call.user, spec)
            case "subjectaccessreviews" | "localsubjectaccessreviews":
                groups = (*spec.get("groups", ()), "system:authenticated")
                status = self._access(User(spec.get("user", ""), groups), spec)
            case "selfsubjectrulesreviews":
                status = self._rules(call.user, spec.get("namespace", ""))
            case "selfsubjectreviews":
                status = {"userInfo": _info(call.user)}
            case _:
                status = self._token(spec)
        metadata = {"creationTimestamp": None, **body.get("metadata", {})}
        answer: Json = {"kind": res.kind, "apiVersion": res.api_version, "metadata": metadata, "status": status}
        if res.plural != "selfsubjectreviews":
            answer["spec"] = spec
        return respond(answer, 201)

    def _access(self, user: User, spec: Json) -> Json:
        asked = spec.get("resourceAttributes")
        if asked is not None:
            plural, part = asked.get("resource", ""), asked.get("subresource", "")
            attributes = Attributes(
                asked.get("verb", ""),
                asked.get("group", ""),
                f"{plural}/{part}" if part else plural,
                asked.get("namespace", ""),
                asked.get("name", ""),
            )
        elif spec.get("nonResourceAttributes") is not None:
            asked = spec["nonResourceAttributes"]
            attributes = Attributes(asked.get("verb", ""), path=asked.get("path", ""))
        else:
            raise bad_request("exactly one of nonResourceAttributes or resourceAttributes must be specified")
        grant = self._authz.allows(user, attributes)
        return {"allowed": False} if grant is None else {"allowed": True, "reason": grant.told}

    def _rules(self, user: User, namespace: str) -> Json:
        everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
        rules = [rule for grant in self._authz.grants(user, namespace) for rule in grant.rules]
        if "system:masters" in user.groups:
            rules = [everything, {"verbs": ["*"], "nonResourceURLs": ["*"]}, *rules]
        return {
            "resourceRules": [rule for rule in rules if "resources" in rule],
            "nonResourceRules": [rule for rule in rules if "nonResourceURLs" in rule],
            "incomplete": False,
        }

    def _token(self, spec: Json) -> Json:
        try:
            user = self._authn.token_user(spec.get("token", ""))
        except StatusError:
            return {"user": {}, "error": "invalid bearer token"}
        return {"authenticated": True, "user": _info(user), "audiences": spec.get("audiences", [])}


def _info(user: User) -> Json:
    info: Json = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        info["uid"] = user.uid
    if user.extra:
        info["extra"] = user.extra
    return info
