"""From one table to the next in nft's words: the smallest change, or everything anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from conformance.lab.proxy import names
from conformance.lab.proxy.ruleset import Chain, Container, Element, Kind, Rule, Ruleset


@dataclass(frozen=True, slots=True)
class Existing:
    """What the kernel has of the table now: the names of its chains and of its sets."""

    chains: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Transaction:
    """``text`` for ``nft -f -`` (empty: nothing to do), and the chains it empties, to be deleted by a later one.

    A chain cannot go in the same transaction: kernels before 6.2 notice a little late that no map refers to it.
    """

    text: str
    stale_chains: frozenset[str] = frozenset()


def partial(old: Ruleset, new: Ruleset, stale: Collection[str] = ()) -> Transaction:
    """The change from ``old``, which the kernel has, to ``new``; ``stale`` chains are still there, and empty."""
    table, lines = new.table, []
    changed = [c for c in new.chains.values() if old.chains.get(c.name) != c]
    gone = [name for name in old.chains if name not in new.chains and names.is_service_chain(name)]
    lines += [f"add chain {table} {c.name}" for c in changed if c.name not in old.chains and c.name not in stale]
    lines += [_add_container(table, c) for c in new.containers.values() if old.containers.get(c.name) != c]
    for chain in changed:
        if chain.name in old.chains or chain.name in stale:
            lines.append(f"flush chain {table} {chain.name}")
        lines += _rules(table, chain)
    for name, wanted in new.elements.items():
        known = old.elements.get(name, {})
        if known == wanted:
            continue
        for key, element in wanted.items():
            before = known.get(key)
            if before == element:
                continue
            if before is not None:
                lines.append(_delete_element(table, name, before))
            lines.append(_add_element(table, name, element))
        lines += [_delete_element(table, name, e) for key, e in known.items() if key not in wanted]
    lines += [f"flush chain {table} {name}" for name in gone]
    lines += [
        f"delete set {table} {name}"
        for name in old.containers
        if name not in new.containers and name.startswith(names.AFFINITY_PREFIX)
    ]
    return Transaction(_text(lines), frozenset(gone))


def full(new: Ruleset, existing: Existing, *, rehook: bool = False) -> Transaction:
    """Everything anew in one stroke, whatever the kernel has; what clients stick to (affinity sets) survives.

    ``rehook`` also recreates the base chains: a new priority cannot be given to an existing one.
    """
    table = new.table
    lines = [f'add table {table} {{ comment "{new.comment}" ; }}']
    hooked = [c for c in new.chains.values() if c.hook]
    plain = [c for c in new.chains.values() if not c.hook]
    if rehook:
        for chain in hooked:
            lines += [f"add chain {table} {chain.name}", f"delete chain {table} {chain.name}"]
    for chain in (*hooked, *plain):
        lines += [_add_chain(table, chain), f"flush chain {table} {chain.name}"]
    gone = [name for name in existing.chains if name not in new.chains and names.is_service_chain(name)]
    lines += [f"flush chain {table} {name}" for name in gone]
    for container in new.containers.values():
        lines.append(_add_container(table, container))
        if container.timeout is None:
            lines.append(f"flush {container.kind.value} {table} {container.name}")
    for container in new.absent:
        lines += [_add_container(table, container), f"delete {container.kind.value} {table} {container.name}"]
    for chain in (*hooked, *plain):
        lines += _rules(table, chain)
    for name, wanted in new.elements.items():
        lines += _add_elements(table, name, wanted.values())
    lines += [
        f"delete set {table} {name}"
        for name in existing.sets
        if name not in new.containers and name.startswith(names.AFFINITY_PREFIX)
    ]
    return Transaction(_text(lines), frozenset(gone))


def delete_chains(table: str, chains: Iterable[str]) -> str:
    """The transaction that deletes chains emptied by an earlier one."""
    return _text([f"delete chain {table} {name}" for name in chains])


def delete_table(table: str) -> str:
    """The transaction after which there is no table, whether or not there was one."""
    return _text([f"add table {table}", f"delete table {table}"])


def _text(lines: list[str]) -> str:
    return "\n".join((*lines, "")) if lines else ""


def _add_chain(table: str, chain: Chain) -> str:
    inside = []
    if chain.hook:
        inside.append(f"type {chain.hook.type} hook {chain.hook.hook} priority {chain.hook.priority} ;")
    if chain.comment:
        inside.append(f'comment "{chain.comment}" ;')
    return f"add chain {table} {chain.name}" + (f" {{ {' '.join(inside)} }}" if inside else "")


def _add_container(table: str, container: Container) -> str:
    inside = [f"type {container.type} ;"]
    if container.timeout is not None:
        # The kernel gives a size to a set that a rule updates (nft_dynset_init); for one that is given it makes room.
        inside.append(f"flags dynamic,timeout ; timeout {container.timeout}s ;")
    if container.comment:
        inside.append(f'comment "{container.comment}" ;')
    kind = "map" if container.kind is Kind.MAP else "set"
    return f"add {kind} {table} {container.name} {{ {' '.join(inside)} }}"


def _rules(table: str, chain: Chain) -> Iterator[str]:
    return (f"add rule {table} {chain.name} {_rule(rule)}" for rule in chain.rules)


def _rule(rule: Rule) -> str:
    return f'{rule.text} comment "{rule.comment}"' if rule.comment else rule.text


def _element(element: Element) -> str:
    comment = f' comment "{element.comment}"' if element.comment else ""
    value = f" : {element.value}" if element.value else ""
    return f"{element.key}{comment}{value}"


def _add_element(table: str, container: str, element: Element) -> str:
    return f"add element {table} {container} {{ {_element(element)} }}"


def _add_elements(table: str, container: str, elements: Iterable[Element]) -> list[str]:
    listed = ", ".join(_element(e) for e in elements)
    return [f"add element {table} {container} {{ {listed} }}"] if listed else []


def _delete_element(table: str, container: str, element: Element) -> str:
    return f"delete element {table} {container} {{ {element.key} }}"
