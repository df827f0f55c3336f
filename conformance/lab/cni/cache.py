"""What ADD was told and said, one file an attachment, so that DEL undoes exactly that, also after a killed agent."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from conformance.lab.cni import conf
from conformance.lab.cni.execution import Attachment

Json = dict[str, Any]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cached:
    """One attachment: the network as it was configured, the values of capabilities, and the result of ADD.

    ``result`` is None as long as ADD has not ended well: what was done until then must be undone, too.
    """

    network: conf.Network
    attachment: Attachment
    runtime: Json
    result: Json | None


class Cache:
    """The files in ``folder``; ``OSError`` when it cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, cached: Cached) -> None:
        """Remember it; whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(cached.attachment)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(asdict(cached)))
        draft.replace(path)

    def read(self, attachment: Attachment) -> Cached | None:
        """What is remembered of the same container and interface."""
        return _decoded(self._path(attachment))

    def forget(self, attachment: Attachment) -> None:
        """Nothing is left to be undone."""
        self._path(attachment).unlink(missing_ok=True)

    def every(self) -> Iterator[Cached]:
        """All that is remembered; what cannot be read is no help to anybody and goes."""
        for path in sorted(self._folder.glob("*.json")):
            if (found := _decoded(path)) is not None:
                yield found
            else:
                path.unlink(missing_ok=True)

    def _path(self, attachment: Attachment) -> Path:
        return self._folder / f"{attachment.container}-{attachment.interface}.json"


def _decoded(path: Path) -> Cached | None:
    try:
        found = json.loads(path.read_text())
        network, result = found["network"], found["result"]
        plugins = conf.of({**network, "cniVersion": network["version"]}).plugins
        flags = (network["disable_check"], network["disable_gc"])
        remembered = conf.Network(network["name"], network["version"], plugins, *flags)
        runtime, attachment = dict(found["runtime"]), Attachment(**found["attachment"])
        return Cached(remembered, attachment, runtime, None if result is None else dict(result))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        _log.warning("%s cannot be used: %s", path, error)
        return None
