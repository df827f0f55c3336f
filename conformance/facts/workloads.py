"""What runs in the cluster for the cluster, and how to recognise it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from conformance.facts.answer import JSON, Answer, at, dicts, joined, listed, reasons, text, words
from conformance.facts.command_line import flags
from conformance.model.facts import Fact, unknown

_VERSION = re.compile(r"v?\d+(\.\d+)*.*")
_ARCHITECTURE = re.compile(r"-(amd64|arm64|arm|ppc64le|s390x)$")


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod; ``image`` without tag and digest, ``env`` as far as it is written out."""

    name: str
    image: str
    tag: str
    flags: Mapping[str, str]
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Workload:
    """A DaemonSet, a Deployment or a static pod."""

    kind: str
    namespace: str
    name: str
    containers: tuple[Container, ...]

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


@dataclass(frozen=True, slots=True)
class Product:
    """Something that can be installed: known by the ``image`` of a container, or by the workload's own name."""

    name: str
    image: str
    workload: str = ""
    """``namespace/name``, where images have digests and no names (OpenShift)."""

    def runs(self, workload: Workload, container: Container) -> bool:
        """Whether ``container`` is this product's."""
        named = bool(self.workload) and workload.key == self.workload
        return named or re.search(f"(^|/)(?:{self.image})$", container.image) is not None


@dataclass(frozen=True, slots=True)
class Found:
    """A product, and where it runs."""

    product: str
    workload: Workload
    container: Container

    @property
    def source(self) -> str:
        """Where it was seen."""
        return f"{self.workload}, image {self.container.image}"


@dataclass(frozen=True, slots=True)
class Workloads:
    """All that could be seen; ``where`` was looked, and why not elsewhere; ``complete`` when nothing was hidden."""

    seen: tuple[Workload, ...] = ()
    where: str = "not asked"
    complete: bool = False

    def of(self, products: Iterable[Product]) -> Iterator[Found]:
        """The products that run, each in the first workload that has it."""
        for product in products:
            matching = (Found(product.name, w, c) for w in self.seen for c in w.containers if product.runs(w, c))
            one = next(matching, None)
            if one:
                yield one


def among(*answers: Answer[list[JSON]]) -> Workloads:
    """The workloads in lists of objects, as far as the lists could be had."""
    refused = reasons(*(answer.where for answer in answers if answer.found is None))
    seen = listed([answer.where for answer in answers if answer.found is not None] or ["what may be listed"])
    objects = [obj for answer in answers for obj in answer.found or ()]
    return Workloads(tuple(map(workload, objects)), f"{seen} ({refused})" if refused else seen, complete=not refused)


def workload(obj: JSON) -> Workload:
    """The workload in an object of the API; what it does not say is empty."""
    kind, spec = text(obj.get("kind")), obj.get("spec")
    pod = spec if kind == "Pod" else at(spec, "template", "spec")
    containers = tuple(_container(c) for c in dicts(at(pod, "containers")))
    metadata = obj.get("metadata")
    return Workload(kind, text(at(metadata, "namespace")), text(at(metadata, "name")), containers)


def named(found: Iterable[Found], seen: Workloads, what: str) -> Fact[str]:
    """The names of all that were found, or why none was."""
    those = list(found)
    if not those:
        return unknown(f"no known {what} among {seen.where}")
    return Fact(joined(f.product for f in those), "; ".join(dict.fromkeys(f.source for f in those)))


def version(found: Found) -> Fact[str]:
    """The version that a container's image is tagged with."""
    tag = _ARCHITECTURE.sub("", found.container.tag)
    if not _VERSION.fullmatch(tag):
        return unknown(f"{found.source}: its tag '{tag}' is no version")
    return Fact(tag, f"{found.source}, its tag")


def _container(obj: JSON) -> Container:
    image, _, _ = text(obj.get("image")).partition("@")
    path, colon, tag = image.rpartition(":")
    if not colon or "/" in tag:  # the colon of a registry's port, or none
        path, tag = image, ""
    command = (*words(obj.get("command")), *words(obj.get("args")))
    env = {text(one.get("name")): text(one.get("value")) for one in dicts(obj.get("env"))}
    return Container(text(obj.get("name")), path, tag, flags(command), env)
