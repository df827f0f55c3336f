"""Whether the part of the table that no Service changes is as kube-proxy writes it."""

from __future__ import annotations

from collections import Counter

from conformance.audit.finding import Kind
from conformance.audit.frame import Fixed, fixed_chains, fixed_containers, frame_source
from conformance.audit.place import Place
from conformance.audit.report import Report
from conformance.audit.steps import Rule, Verdict, told
from conformance.audit.table import Chain, Hook, Table
from conformance.spec import sources as cite


def compare_frame(table: Table, place: Place, report: Report) -> None:
    """Report on base chains, their jumps, the chains they jump to, and the containers they look into."""
    if table.dormant:
        report.add(Kind.BASE, "", f"table {place.ip} kube-proxy", "dormant", "active", cite.NFTABLES_CODE)
    for name, expected in fixed_chains(place).items():
        chain = table.chains.get(name)
        if chain is None:
            told_hook = f", {_told_hook(expected.hook)}" if expected.hook else ""
            report.add(Kind.MISSING, "", f"chain {name}", "", f"chain {name}{told_hook}", frame_source(name))
            continue
        if chain.hook != expected.hook:
            there, wanted = _told_hook(chain.hook), _told_hook(expected.hook)
            report.add(Kind.BASE, "", f"chain {name}", there, wanted, frame_source(name))
        _rules(chain, expected, report)
    for name, (is_map, kind) in fixed_containers(place).items():
        container = table.containers.get(name)
        expected_words = _told_type(is_map, kind)
        if container is None:
            report.add(Kind.MISSING, "", name, "", expected_words, frame_source(name))
        elif (container.is_map, container.type) != (is_map, kind) or container.timeout is not None:
            there = _told_type(container.is_map, container.type)
            there += f", timeout {container.timeout} s" if container.timeout is not None else ""
            report.add(Kind.ALTERED, "", name, there, expected_words, frame_source(name))


def _rules(chain: Chain, expected: Fixed, report: Report) -> None:
    there, wanted = Counter(chain.rules), Counter(expected.rules)
    missing = [r for r in expected.rules if r not in there]
    extra = [r for r in dict.fromkeys(chain.rules) if r not in wanted]
    source, where = frame_source(chain.name), f"chain {chain.name}"
    for rule in missing:
        like = next((e for e in extra if _alike(e, rule)), None)
        jump = _is_jump(rule)
        if like is not None:
            extra.remove(like)
            report.add(Kind.BASE if jump else Kind.ALTERED, "", where, told(like), told(rule), source)
        else:
            report.add(Kind.BASE if jump else Kind.MISSING, "", where, "", told(rule), source)
    for rule in extra:
        report.add(Kind.FOREIGN, "", where, told(rule), "", source)
    for rule, count in there.items():
        if count > 1 and rule in wanted:
            report.add(Kind.DUPLICATED, "", where, f"{count} times {told(rule)}", "once", source)
    known = [r for r in dict.fromkeys(chain.rules) if r in wanted]
    if known != [r for r in expected.rules if r in there]:
        order = "; ".join(map(told, known))
        report.add(Kind.BASE, "", where, order, "; ".join(map(told, expected.rules)), source)


def _alike(one: Rule, other: Rule) -> bool:
    """Whether one rule is likely meant to be the other: they end alike or ask alike."""
    return bool(one) and (type(one[-1]) is type(other[-1]) or one[:-1] == other[:-1])


def _is_jump(rule: Rule) -> bool:
    return isinstance(rule[-1], Verdict) and rule[-1].kind == "jump"


def _told_hook(hook: Hook | None) -> str:
    if hook is None:
        return "no hook"
    return f"type {hook.type} hook {hook.hook} priority {hook.priority} policy {hook.policy}"


def _told_type(is_map: bool, kind: tuple[str, ...]) -> str:
    return f"{'map' if is_map else 'set'} of {' . '.join(kind)}"
