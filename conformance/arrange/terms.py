"""On what terms a run may use a cluster, as its user says: where it may go, what it may break, what it leaves. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from conformance.arrange.balancing import Mode, pools
from conformance.errors import UsageError

NONE = "none"


def _said(default: Any, text: str, metavar: str = "", choices: tuple[str, ...] = ()) -> Any:  # noqa: ANN401
    """A field that an option of its own name sets, and what the option says of itself."""
    return field(default=default, metadata={"help": text, "metavar": metavar, "choices": choices})


@dataclass(frozen=True)
class Terms:
    """One field for each option, plain values only: they travel to xdist's workers as JSON."""

    max_nodes: int = _said(0, "Use only N nodes, always the same, spread over zones.", "N")
    node_selector: tuple[str, ...] = _said((), "Use only nodes with this label; may be repeated.", "KEY=VALUE")
    toleration: tuple[str, ...] = _said(
        (),
        "Use only nodes without taints, or with this one; `none`: without any; may be repeated. By default every "
        "taint is tolerated, for pods are pinned to nodes.",
        "KEY[=VALUE][:EFFECT]",
    )
    registry_mirror: str = _said("", "Take the agent's default image from this registry.", "HOST[:PORT][/PATH]")
    image_pull_secret: str = _said("", "Copy this Secret into the run's namespaces for pulling.", "NAMESPACE/NAME")
    lb: str = _said(
        Mode.AUTO.value,
        "Who gives LoadBalancer Services addresses: a controller, else the kit (auto); the kit (status-patch); nobody.",
        choices=tuple(mode.value for mode in Mode),
    )
    lb_range: tuple[str, ...] = _said((), "The kit's own such addresses, one range a family; may be repeated.", "CIDR")
    keep_on_failure: bool = _said(False, "Leave the run's objects where something failed, and say how to remove them.")
    disruptive: bool = _said(False, "Ask also what disturbs others, such as restarts of kube-proxy: one by one.")

    @property
    def again(self) -> tuple[tuple[str, ...], ...]:
        """The options that say the same again."""
        words: list[tuple[str, ...]] = []
        for one in fields(self):
            value = getattr(self, one.name)
            if value == one.default:
                continue
            several = value if isinstance(value, tuple) else (value,)
            words += [(flag(one),) if value is True else (flag(one), str(each)) for each in several]
        return tuple(words)

    def __post_init__(self) -> None:
        """`UsageError` for a value that says nothing."""
        for text in self.node_selector:
            if not text.partition("=")[0] or "=" not in text:
                raise UsageError(
                    f"--node-selector {text!r} is not KEY=VALUE.", "For example: --node-selector pool=test"
                )
        for text in self.toleration:
            toleration(text)
        if self.image_pull_secret and len([p for p in self.image_pull_secret.split("/") if p]) != 2:
            raise UsageError(
                f"--image-pull-secret {self.image_pull_secret!r} is not NAMESPACE/NAME.",
                "For example: --image-pull-secret default/registry",
            )
        if self.registry_mirror and ("://" in self.registry_mirror or "@" in self.registry_mirror):
            raise UsageError(
                f"--registry-mirror {self.registry_mirror!r} is no host.", "Say HOST[:PORT][/PATH], without a scheme."
            )
        pools(self.lb_range)
        if self.max_nodes < 0:
            raise UsageError(f"--max-nodes {self.max_nodes} is no number of nodes.", "Give a positive one.")

    @property
    def tolerations(self) -> list[dict[str, str]]:
        """As pods carry them: everything, unless something is said."""
        if not self.toleration:
            return [{"operator": "Exists"}]
        return [toleration(text) for text in self.toleration if text != NONE]

    def admits(self, node: Mapping[str, Any]) -> bool:
        """Whether a Node object has the labels that are asked for, and no taint that is not tolerated."""
        labels = (node.get("metadata") or {}).get("labels") or {}
        wanted = dict(text.split("=", 1) for text in self.node_selector)
        taints = (node.get("spec") or {}).get("taints") or ()
        return all(labels.get(key) == value for key, value in wanted.items()) and all(
            taint.get("effect") == "PreferNoSchedule" or any(_tolerates(t, taint) for t in self.tolerations)
            for taint in taints
        )

    @property
    def selective(self) -> bool:
        """Whether some nodes may be left out."""
        return bool(self.node_selector or self.toleration)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Terms:
        """From options by the names of the fields; what is None is left at its default."""
        given = {one.name: options.get(one.name) for one in fields(cls)}
        plain: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in given.items() if v is not None}
        return cls(**plain)


def flag(one: Field[Any]) -> str:
    """The option of a field of `Terms`."""
    return f"--{one.name.replace('_', '-')}"


def toleration(text: str) -> dict[str, str]:
    """``KEY[=VALUE][:EFFECT]`` as the API has it; empty for `none`; `UsageError` when it is not of that form."""
    if text == NONE:
        return {}
    rest, colon, effect = text.partition(":")
    key, equals, value = rest.partition("=")
    if not key or (colon and effect not in ("NoSchedule", "NoExecute")):
        raise UsageError(
            f"--toleration {text!r} is not KEY[=VALUE][:EFFECT].",
            "EFFECT is NoSchedule or NoExecute.",
        )
    made = {"key": key} | ({"operator": "Equal", "value": value} if equals else {"operator": "Exists"})
    return made | ({"effect": effect} if effect else {})


def _tolerates(one: Mapping[str, str], taint: Mapping[str, str]) -> bool:
    """As kube-scheduler decides: an empty effect or key stands for every one."""
    if one.get("effect") not in (None, taint.get("effect")) or one.get("key") not in (None, taint.get("key")):
        return False
    return one.get("operator") == "Exists" or one.get("value", "") == (taint.get("value") or "")
