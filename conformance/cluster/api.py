"""The API server, asked in plain JSON objects; thread-safe."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import urllib3
from kubernetes import client

from conformance.cluster.effort import STOPWATCH
from conformance.cluster.failures import ApiRefused, passes_by, refused, unreachable
from conformance.cluster.outage import Outage
from conformance.cluster.paths import kind
from conformance.errors import ClusterError

JSON = dict[str, Any]
TIMEOUT = urllib3.Timeout(connect=10, read=30)
BRIEF = urllib3.Timeout(connect=5, read=10)
PAGE = 500
THROTTLED = (429, 503)
TIMES = 5
AWAY = (502, 503, 504)
"""What a load balancer answers in the place of an API server that is not there."""
STARTING = (401, 403, 500)
"""What an API server answers besides while it starts, before it has read its roles and reached its store."""
FIELD_MANAGER = "nftconform"


class Cluster:
    """One API server and one identity. Methods raise `ClusterError`, and `ApiRefused` where the server said no.

    While the server does not answer, requests are repeated as ``outage`` allows; by default they are not.
    ``reload`` reads the configuration anew, for when the credentials are not accepted any more.
    """

    def __init__(self, configuration: Any, reload: Callable[[], Any] | None = None) -> None:  # noqa: ANN401  kubernetes.client.Configuration is untyped
        self.outage = Outage(0.0)
        self._reload = reload
        self._renewing = threading.Lock()
        self._adopt(configuration)

    def _adopt(self, configuration: Any) -> None:  # noqa: ANN401
        self.configuration = configuration
        self.server: str = configuration.host
        api_client: Any = client.ApiClient(configuration)  # knows how to turn a configuration into TLS and proxies
        self._pool: urllib3.PoolManager = api_client.rest_client.pool_manager

    def version(self) -> str:
        """``gitVersion`` of the API server, e.g. ``v1.36.2``."""
        return str(self.get("/version").get("gitVersion", ""))

    def get(self, path: str, params: Mapping[str, str] | None = None) -> JSON:
        """One object, or whatever JSON ``path`` holds."""
        return self._ask("GET", path, params)

    def page(self, path: str, most: int = 4096) -> str:
        """The first ``most`` bytes of what a pod answers through the API server's proxy; no JSON is expected."""
        with self._streamed(path, None, BRIEF) as response:
            return response.read(most).decode("utf-8", "replace")

    def find(self, path: str) -> JSON | None:
        """One object, or None when it does not exist."""
        try:
            return self.get(path)
        except ApiRefused as no:
            if no.status == 404:
                return None
            raise

    def items(self, path: str, params: Mapping[str, str] | None = None) -> list[JSON]:
        """All items of a collection, page by page, each with the kind and apiVersion that lists leave out."""
        return self.snapshot(path, params)[0]

    def snapshot(self, path: str, params: Mapping[str, str] | None = None) -> tuple[list[JSON], str]:
        """All items and the resourceVersion from which a watch goes on."""
        items: list[JSON] = []
        query = {"limit": str(PAGE), **(params or {})}
        while True:
            page = self.get(path, query)
            word = str(page.get("kind", "")).removesuffix("List")
            version = page.get("apiVersion", "")
            items += [{"kind": word, "apiVersion": version, **item} for item in page.get("items") or []]
            meta = page.get("metadata", {})
            if not meta.get("continue"):
                return items, str(meta.get("resourceVersion", ""))
            query["continue"] = meta["continue"]

    def objects(self, kind_name: str, namespace: str | None = None, selector: str = "") -> list[JSON]:
        """All objects of a kind, in one namespace or all, with these labels."""
        params = {"labelSelector": selector} if selector else {}
        return self.items(kind(kind_name).path(namespace), params)

    def create(self, path: str, body: JSON, *, dry_run: bool = False) -> JSON:
        """A new object in the collection ``path``; with ``dry_run`` one that is validated and not stored."""
        return self._ask("POST", path, _writing(dry_run=dry_run), body)

    def update(self, path: str, body: JSON) -> JSON:
        """The object, replaced."""
        return self._ask("PUT", path, _writing(), body)

    def patch(self, path: str, body: JSON | list[JSON], *, dry_run: bool = False) -> JSON:
        """The object after a JSON merge patch, or a JSON patch where ``body`` is a list."""
        word = "json-patch" if isinstance(body, list) else "merge-patch"
        return self._ask("PATCH", path, _writing(dry_run=dry_run), body, patch=word)

    def delete(self, path: str, params: Mapping[str, str] | None = None, *, version: str = "") -> bool:
        """Delete an object; False when there was none. With ``version`` only that resourceVersion of it."""
        body = {"preconditions": {"resourceVersion": version}} if version else None
        try:
            self._ask("DELETE", path, params, body)
        except ApiRefused as no:
            if no.status == 404:
                return False
            raise
        return True

    def watch(
        self, path: str, version: str, seconds: float, params: Mapping[str, str] | None = None
    ) -> Iterator[tuple[str, JSON]]:
        """Events of a collection since ``version``, for at most ``seconds``; `ApiRefused` 410 when it is too old."""
        whole = max(1, int(seconds))
        query = {
            **(params or {}),
            "watch": "1",
            "resourceVersion": version,
            "timeoutSeconds": str(whole),
            "allowWatchBookmarks": "true",
        }
        rest = b""
        with self._streamed(path, query, urllib3.Timeout(connect=10, read=whole + 10)) as response:
            for chunk in response.stream(1 << 16, decode_content=True):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in filter(None, lines):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        status = event["object"]
                        raise refused(int(status.get("code", 500)), json.dumps(status).encode(), f"watch {path}")
                    yield event["type"], event["object"]

    def may(
        self, verb: str, resource: str, namespace: str, *, group: str = "", subresource: str = "", name: str = ""
    ) -> bool:
        """Whether we are allowed to, by SelfSubjectAccessReview; with ``name`` to one object, else to all."""
        attributes = {
            "verb": verb,
            "resource": resource,
            "namespace": namespace,
            "group": group,
            "subresource": subresource,
            "name": name,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = self.create(kind("SelfSubjectAccessReview").path(), review)
        return bool(answer.get("status", {}).get("allowed"))

    def authorization(self) -> dict[str, str]:
        """Headers that prove who we are; asked anew each time, as exec plugins and token files renew what they give."""
        return _authorization(self.configuration)

    def renew(self, used: Mapping[str, str]) -> bool:
        """Whether there are other credentials than those in the headers ``used``, which were not accepted."""
        with self._renewing:
            if any(used.get(key) != value for key, value in self.authorization().items()):
                return True  # somebody else has renewed them meanwhile
            try:
                fresh = self._reload() if self._reload else self.configuration
            except ClusterError:
                return False  # what was not accepted says more
            if _identity(fresh) == _identity(self.configuration):
                return False
            self._adopt(fresh)
            return True

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: JSON | list[JSON] | None = None,
        *,
        patch: str = "",
    ) -> JSON:
        data = None if body is None else json.dumps(body).encode()
        asked, first = f"{method} {path}", time.monotonic()
        lost, throttled, renewed, uncertain = 0, 0, False, False
        while True:
            self.outage.check()
            began, headers = time.monotonic(), self._headers(data, patch)
            try:
                timeout = BRIEF if self.outage.hurrying else TIMEOUT
                response = self._send(method, path, params, data, headers, timeout)
                text = response.data
            except (urllib3.exceptions.HTTPError, OSError) as failure:
                trouble = unreachable(failure, self.server)
                uncertain = uncertain or not isinstance(failure, urllib3.exceptions.NewConnectionError)
                if not (passes_by(failure) and self.outage.wait(first, began, lost, trouble)):
                    raise trouble from None
                lost += 1
                continue
            if response.status < 300:
                self.outage.over()
                return _object(text, response.status, asked)
            if uncertain and response.status == 409 and method == "POST" and isinstance(body, dict):
                # The attempt whose answer was lost had been taken.
                return self.get(f"{path}/{body['metadata']['name']}")
            no, wait = refused(response.status, text, asked), response.headers.get("retry-after", "")
            if response.status in THROTTLED and wait.isdigit() and throttled < TIMES:
                throttled += 1
                time.sleep(min(int(wait), 10))  # API priority and fairness names the condition itself: a time
            elif response.status == 401 and not renewed and self.renew(headers):
                renewed = True
            elif response.status in AWAY or (lost and response.status in STARTING):
                if not self.outage.wait(first, began, lost, no):
                    raise no
                lost, uncertain = lost + 1, True
            else:
                self.outage.over()
                raise no

    @contextmanager
    def _streamed(
        self, path: str, params: Mapping[str, str] | None, timeout: urllib3.Timeout
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """An answer that is read piece by piece, and that nobody asks for twice."""
        try:
            response = self._send("GET", path, params, None, self._headers(None, ""), timeout)
            try:
                if response.status >= 300:
                    raise refused(response.status, response.read(), f"GET {path}")
                yield response
            finally:
                response.close()  # what is left of the stream cannot be reused
        except (urllib3.exceptions.HTTPError, OSError) as failure:
            raise unreachable(failure, self.server) from None

    def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        data: bytes | None,
        headers: Mapping[str, str],
        timeout: urllib3.Timeout,
    ) -> urllib3.BaseHTTPResponse:
        STOPWATCH.count("requests")
        url = f"{self.server}{path}" + (f"?{urlencode(params)}" if params else "")
        return self._pool.request(
            method, url, body=data, headers=headers, timeout=timeout, preload_content=False, retries=False
        )

    def _headers(self, data: bytes | None, patch: str) -> dict[str, str]:
        headers = self.authorization() | {"accept": "application/json", "user-agent": FIELD_MANAGER}
        if data is not None:
            headers["content-type"] = f"application/{patch}+json" if patch else "application/json"
        return headers


def _writing(*, dry_run: bool = False) -> dict[str, str]:
    return {"fieldManager": FIELD_MANAGER} | ({"dryRun": "All"} if dry_run else {})


def _object(text: bytes, status: int, asked: str) -> JSON:
    try:
        answer: JSON = json.loads(text)
    except ValueError:
        raise refused(status, b"", f"{asked} (no JSON in the answer)") from None
    return answer


def _authorization(configuration: Any) -> dict[str, str]:  # noqa: ANN401
    return {s["key"]: s["value"] for s in configuration.auth_settings().values() if s["value"]}


def _identity(configuration: Any) -> tuple[object, ...]:  # noqa: ANN401
    return _authorization(configuration), configuration.cert_file, configuration.key_file
