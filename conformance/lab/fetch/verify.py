"""Digests: where a server says them, and of what is here."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from conformance.errors import DownloadError
from conformance.lab.fetch.download import NotThere, text
from conformance.lab.fetch.release import Artifact, Checksum

_HEX = re.compile(r"[0-9a-f]+")


def promised(artifact: Artifact) -> tuple[str, str]:
    """The algorithm and the digest that the server promises, from the first of its checksum files that exists."""
    *others, last = artifact.checksums
    for checksum in others:
        try:
            return checksum.algorithm, _digest(checksum)
        except NotThere:
            continue
    return last.algorithm, _digest(last)


def digest_of(file: Path, algorithm: str) -> str:
    """The digest of a file, in hex; `OSError` when it cannot be read."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, algorithm).hexdigest()


def listed(text_: str) -> dict[str, str]:
    """The digests of a list as sha256sum writes it, by file name."""
    rows = [line.split(maxsplit=1) for line in text_.splitlines()]
    return {row[1].lstrip("*").strip(): row[0].lower() for row in rows if len(row) == 2}


def _digest(checksum: Checksum) -> str:
    """A single program's file holds the digest alone, or a line with a name as well."""
    said = text(checksum.url)
    found = listed(said).get(checksum.entry, "") if checksum.entry else next(iter(said.lower().split()), "")
    size = hashlib.new(checksum.algorithm).digest_size * 2
    if len(found) != size or not _HEX.fullmatch(found):
        what = f"{checksum.algorithm} of {checksum.entry}" if checksum.entry else checksum.algorithm
        raise DownloadError(
            f"{checksum.url} does not hold the {what}.", "Something else may answer there: check the address and proxy."
        )
    return found
