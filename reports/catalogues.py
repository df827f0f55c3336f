"""What each version of the kit asks, as files in ``catalogues/``: `nftconform docs` writes that of this version.

Those of versions that have been released stay as they are, so that reports on them can be verified.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from conformance.certify.catalogue import Catalogue
from conformance.errors import UsageError
from conformance.model.printable import short
from conformance.results.codec import decode, encode
from conformance.results.run import Run

FOLDER = Path(__file__).with_name("catalogues")


@cache
def known() -> Mapping[str, Catalogue]:
    """Every catalogue there is, by the kit's version."""
    read = (
        decode(Catalogue, json.loads(path.read_text(encoding="utf-8")), path.name) for path in FOLDER.glob("*.json")
    )
    return {one.kit: one for one in read}


def catalogue_of(run: Run) -> Catalogue:
    """The catalogue of the kit that ran; `UsageError` when this kit does not know it."""
    found = known().get(run.header.kit)
    if found is None:
        raise UsageError(
            f"The run is of nftconform {short(run.header.kit)}; this kit knows {', '.join(sorted(known()))}.",
            "Make the report with the version that ran.",
        )
    return found


def document(catalogue: Catalogue) -> str:
    """The file of ``catalogue``: a line a case, so that changes can be read and merged."""
    rows = ",\n".join(f"  {json.dumps(case)}: {json.dumps(encode(entry))}" for case, entry in catalogue.cases.items())
    return f'{{"kit": {json.dumps(catalogue.kit)}, "cases": {{\n{rows}\n}}}}\n'
