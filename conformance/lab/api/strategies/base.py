"""The behaviour that every resource has unless its own strategy says otherwise."""

from __future__ import annotations

from typing import Any

from conformance.lab.api.allocation import Allocation
from conformance.lab.api.status import FieldError
from conformance.lab.api.validation.names import dns_subdomain

Json = dict[str, Any]


class Strategy:
    """Rules of one resource; objects handed in may be changed in place, old ones may not."""

    status = False
    """The object has a status that only the status subresource writes."""

    generation = False
    """``metadata.generation`` counts changes of the spec."""

    unconditional_update = True
    """An update without resourceVersion is taken."""

    create_on_update = False
    """A PUT to a name that does not exist creates the object."""

    returns_deleted = False
    """A delete answers with the object, not with a Status."""

    undeletable: frozenset[str] = frozenset()
    """Names of objects that stay."""

    def validate_name(self, name: str) -> list[str]:
        """What is wrong with a name, in the API's words."""
        return dns_subdomain(name)

    def default(self, obj: Json) -> None:
        """Fill in what the API fills in."""

    def prepare_create(self, obj: Json) -> None:
        """Remove what a creator may not set."""
        if self.status:
            obj.pop("status", None)

    def prepare_update(self, new: Json, old: Json) -> None:
        """Keep what an updater may not change."""
        if self.status:
            keep(new, old, "status")

    def prepare_status(self, new: Json, old: Json) -> None:
        """Keep everything but the status."""
        metadata = dict(old["metadata"])
        for field in ("managedFields", "resourceVersion"):
            if field in new["metadata"]:
                metadata[field] = new["metadata"][field]
        status = new.get("status")
        new.clear()
        new.update(old)
        new["metadata"] = metadata
        if status is None:
            new.pop("status", None)
        else:
            new["status"] = status

    def validate(self, obj: Json) -> list[FieldError]:
        """What is wrong with a new object."""
        return []

    def validate_update(self, new: Json, old: Json) -> list[FieldError]:
        """What is wrong with a change."""
        return self.validate(new)

    def validate_status(self, new: Json, old: Json) -> list[FieldError]:
        """What is wrong with a change of the status."""
        return []

    def admit(self, obj: Json) -> None:
        """Look at a new object before anything is allocated: add to it, refuse it (StatusError)."""

    def begin(self, obj: Json, old: Json | None, *, dry_run: bool) -> Allocation:
        """Fill in what is allocated for a new (``old`` is None) or changed object; kept only if the write succeeds."""
        return Allocation(dry_run=dry_run)

    def begin_delete(self, obj: Json, grace: int | None) -> int:
        """Seconds that the object stays after it was asked to go; 0 removes it at once."""
        return 0

    def holds(self, obj: Json) -> bool:
        """Something other than finalizers keeps a deleted object."""
        return False

    def marked(self, obj: Json) -> None:
        """The object, to be written, has just got its deletionTimestamp."""

    def removed(self, obj: Json) -> None:
        """The object is gone: release what it held."""


def keep(new: Json, old: Json, field: str) -> None:
    """Give ``new`` the old value of a top-level field."""
    if field in old:
        new[field] = old[field]
    else:
        new.pop(field, None)
