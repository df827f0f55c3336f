"""A pod's volumes on the node's disk: made before its containers start, kept current while it lives."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from conformance.lab.client import ApiError
from conformance.lab.kubelet import atomic, environment, payload
from conformance.lab.kubelet.environment import ConfigError, Surroundings
from conformance.lab.kubelet.node import Node
from conformance.lab.kubelet.payload import Sources
from conformance.lab.kubelet.system import Mount

Json = dict[str, Any]
_TOKEN_RENEWAL = 0.8
_LONGEST_WAIT = 3600.0


class VolumeError(Exception):
    """A volume cannot be made now (reason ``FailedMount``)."""


class PodVolumes:
    """The volumes of one pod under ``folder``; ``pod`` and ``around`` give the present state of both."""

    def __init__(self, node: Node, folder: Path, pod: Callable[[], Json], around: Callable[[], Surroundings]) -> None:
        self._node = node
        self._folder = folder
        self._pod = pod
        self._around = around
        self._paths: dict[str, Path] = {}
        self._payloads: dict[str, Sources] = {}
        self._tokens: dict[str, dict[str, str]] = {}
        self._poked = asyncio.Event()

    async def prepare(self) -> None:
        """Make every volume; ``VolumeError``. May be called again after a failure."""
        for volume in self._pod()["spec"].get("volumes") or ():
            name, path = volume["name"], self._folder / volume["name"]
            found = payload.sources(volume)
            try:
                if found is not None:
                    await self._request_tokens(name, found)
                    self._payloads[name] = found
                    self._write(name, path)
                elif "emptyDir" in volume:
                    path.mkdir(parents=True, exist_ok=True)
                    path.chmod(0o777)
                elif "hostPath" in volume:
                    path = host_path(volume["hostPath"])
                else:
                    raise VolumeError(f'volume "{name}" is of a kind that the lab does not have')
            except (ConfigError, OSError) as error:
                raise VolumeError(f'MountVolume.SetUp failed for volume "{name}": {error}') from error
            self._paths[name] = path

    def poke(self) -> None:
        """Something that a volume shows may have changed."""
        self._poked.set()

    async def keep_current(self) -> None:
        """Rewrite what changes, within moments, and renew tokens; until cancelled."""
        while True:
            wait = min(
                (token.seconds * _TOKEN_RENEWAL for found in self._payloads.values() for token in found.tokens),
                default=_LONGEST_WAIT,
            )
            try:
                # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event.
                async with asyncio.timeout(wait):
                    await self._poked.wait()
            except TimeoutError:
                await self._renew()
            self._poked.clear()
            for name in self._payloads:
                try:
                    self._write(name, self._folder / name)
                except (ConfigError, OSError) as error:
                    # The kubelet too keeps the old files when a source disappears.
                    self._node.warn(self._pod(), "FailedMount", f'volume "{name}": {error}')

    def mounts(self, container: Json, variables: Mapping[str, str]) -> list[Mount]:
        """The mounts of ``container``; ``ConfigError`` for a volume that is not there."""
        result = []
        for mount in container.get("volumeMounts") or ():
            source = self._paths.get(mount["name"])
            if source is None:
                raise ConfigError(f'volume "{mount["name"]}" not found')
            inner = mount.get("subPath") or environment.expand(mount.get("subPathExpr") or "", variables)
            if inner:
                whole = source / inner
                if ".." in Path(inner).parts:
                    raise ConfigError(f'subPath "{inner}" must not contain ".."')
                if not whole.exists():
                    whole.mkdir(parents=True)
                # The file itself: a link into ..data would change under the mount.
                source = whole.resolve()
            result.append(Mount(source, mount["mountPath"], bool(mount.get("readOnly"))))
        return result

    def remove(self) -> None:
        """Remove all of it from the disk."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _write(self, name: str, path: Path) -> None:
        files = payload.files(self._pod(), self._payloads[name], self._around(), self._tokens.get(name, {}))
        atomic.write(path, files)

    async def _renew(self) -> None:
        for name, found in self._payloads.items():
            try:
                await self._request_tokens(name, found)
            except VolumeError as error:
                self._node.warn(self._pod(), "FailedMount", str(error))

    async def _request_tokens(self, name: str, found: Sources) -> None:
        pod = self._pod()
        meta = pod["metadata"]
        account = pod["spec"].get("serviceAccountName") or "default"
        tokens = {}
        for token in found.tokens:
            request = {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": {
                    "audiences": [token.audience] if token.audience else [],
                    "expirationSeconds": token.seconds,
                    "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]},
                },
            }
            path = f"/api/v1/namespaces/{meta['namespace']}/serviceaccounts/{account}/token"
            try:
                answer = await self._node.client.create(path, request)
            except ApiError as error:
                raise VolumeError(f'no token for service account "{account}": {error}') from error
            tokens[token.path] = str(answer["status"]["token"])
        self._tokens[name] = tokens


def host_path(spec: Json) -> Path:
    """The path of a ``hostPath`` volume, checked or made as its type says; ``OSError``."""
    path, kind = Path(spec["path"]), spec.get("type") or ""
    match kind:
        case "DirectoryOrCreate":
            path.mkdir(parents=True, exist_ok=True)
        case "FileOrCreate":
            path.touch(exist_ok=True)
        case "Directory" if not path.is_dir():
            raise NotADirectoryError(f"hostPath type check failed: {path} is not a directory")
        case "File" if not path.is_file():
            raise FileNotFoundError(f"hostPath type check failed: {path} is not a file")
        case "Socket" if not path.is_socket():
            raise FileNotFoundError(f"hostPath type check failed: {path} is not a socket file")
        case _:
            path.lstat()
    return path
