"""The kube-proxy inside k3s, which is no pod: k3s tells its own arguments in an annotation of each node. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conformance.facts.answer import JSON, Answer, at, mapping, text, words
from conformance.facts.command_line import flags

ANNOTATION = "k3s.io/node-args"
_ARGUMENT = "--kube-proxy-arg"


def proxy_flags(nodes: Iterable[JSON]) -> Answer[dict[str, str]]:
    """The flags that k3s is told to hand to kube-proxy, where all nodes have the same ones; it sets others itself."""
    told = [list(_words(node)) for node in nodes]
    arguments = [given for given in told if given]
    if not arguments:
        return Answer(None, "")
    if any(word.partition("=")[0] == "--disable-kube-proxy" for given in arguments for word in given):
        return Answer(None, f"nodes' annotation {ANNOTATION} disables kube-proxy")
    found = [dict(flags(_handed_on(given))) for given in arguments]
    if any(one != found[0] for one in found):
        return Answer(None, f"nodes differ in the kube-proxy arguments of their annotation {ANNOTATION}")
    return Answer(found[0], f"nodes' annotation {ANNOTATION}")


def _words(node: JSON) -> tuple[str, ...]:
    arguments = text(at(node, "metadata", "annotations", ANNOTATION))
    listed = at(mapping(f"given: {arguments}"), "given")
    return words(listed) if isinstance(listed, list) else ()


def _handed_on(given: list[str]) -> Iterator[str]:
    """Both ``--kube-proxy-arg X=Y`` and ``--kube-proxy-arg=X=Y``."""
    for word, after in zip(given, [*given[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        if name == _ARGUMENT:
            yield f"--{(value if equals else after).lstrip('-')}"
