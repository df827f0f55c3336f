"""The API server, asked in plain JSON objects; thread-safe."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3
from kubernetes import client

from conformance.cluster.failures import ApiRefused, refused, unreachable
from conformance.cluster.paths import kind

JSON = dict[str, Any]
TIMEOUT = urllib3.Timeout(connect=10, read=60)
BRIEF = urllib3.Timeout(connect=10, read=10)
PAGE = 500
THROTTLED = (429, 503)
PATIENCE = 5
FIELD_MANAGER = "nftconform"


class Cluster:
    """One API server and one identity. Methods raise `ClusterError`, and `ApiRefused` where the server said no."""

    def __init__(self, configuration: Any) -> None:  # noqa: ANN401  kubernetes.client.Configuration is untyped
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
        response = self._send("GET", path, None, timeout=BRIEF)
        try:
            return response.read(most).decode("utf-8", "replace")
        except (urllib3.exceptions.HTTPError, OSError) as failure:
            raise unreachable(failure, self.server) from None
        finally:
            response.close()  # what is left of a page without end is not waited for

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
        response = self._send("GET", path, query, timeout=urllib3.Timeout(connect=10, read=whole + 10))
        rest = b""
        try:
            for chunk in response.stream(1 << 16, decode_content=True):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in filter(None, lines):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        status = event["object"]
                        raise refused(int(status.get("code", 500)), json.dumps(status).encode(), f"watch {path}")
                    yield event["type"], event["object"]
        except (urllib3.exceptions.HTTPError, OSError) as failure:
            raise unreachable(failure, self.server) from None
        finally:
            response.close()  # what is left of the stream cannot be reused

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
        return {s["key"]: s["value"] for s in self.configuration.auth_settings().values() if s["value"]}

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()

    def _ask(
        self, method: str, path: str, params: Mapping[str, str] | None, body: object = None, *, patch: str = ""
    ) -> JSON:
        response = self._send(method, path, params, body, patch=patch)
        try:
            answer: JSON = json.loads(response.data)
        except ValueError:
            raise refused(response.status, b"", f"{method} {path} (no JSON in the answer)") from None
        except (urllib3.exceptions.HTTPError, OSError) as failure:
            raise unreachable(failure, self.server) from None
        return answer

    def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: object = None,
        *,
        patch: str = "",
        timeout: urllib3.Timeout = TIMEOUT,
    ) -> urllib3.BaseHTTPResponse:
        url = f"{self.server}{path}" + (f"?{urlencode(params)}" if params else "")
        data = None if body is None else json.dumps(body).encode()
        for attempt in range(PATIENCE + 1):
            headers = self.authorization() | {"accept": "application/json", "user-agent": FIELD_MANAGER}
            if data is not None:
                headers["content-type"] = f"application/{patch}+json" if patch else "application/json"
            try:
                response = self._pool.request(
                    method, url, body=data, headers=headers, timeout=timeout, preload_content=False, retries=False
                )
                if response.status < 300:
                    return response
                text = response.read()
            except (urllib3.exceptions.HTTPError, OSError) as failure:
                raise unreachable(failure, self.server) from None
            wait = response.headers.get("retry-after", "")
            if response.status not in THROTTLED or not wait.isdigit() or attempt == PATIENCE:
                break
            time.sleep(min(int(wait), 10))  # API priority and fairness names the condition itself: a time
        raise refused(response.status, text, f"{method} {path}")


def _writing(*, dry_run: bool = False) -> dict[str, str]:
    return {"fieldManager": FIELD_MANAGER} | ({"dryRun": "All"} if dry_run else {})
