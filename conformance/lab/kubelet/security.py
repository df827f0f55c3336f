"""From ``securityContext`` to what a process may do. Pure."""

from __future__ import annotations

from typing import Any

from conformance.lab.kubelet.spawn import Privileges

Json = dict[str, Any]

# linux/capability.h, in order.
# fmt: off
CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
)
# fmt: on
# CRI-O's default: without NET_RAW, which a pod must ask for, unlike Docker's and containerd's.
DEFAULT = frozenset(
    ("CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE", "KILL")
)


def capabilities(container: Json) -> frozenset[str] | None:
    """Names of the capabilities that ``container`` has; None means all (privileged)."""
    context = container.get("securityContext") or {}
    if context.get("privileged"):
        return None
    asked = context.get("capabilities") or {}
    add = {name.upper().removeprefix("CAP_") for name in asked.get("add") or ()}
    drop = {name.upper().removeprefix("CAP_") for name in asked.get("drop") or ()}
    base = frozenset(CAPABILITIES) if "ALL" in add else DEFAULT
    kept = frozenset() if "ALL" in drop else base - drop
    return (kept | add) & frozenset(CAPABILITIES)


def privileges(pod: Json, container: Json, *, can_change_user: bool) -> Privileges:
    """What the container's processes run as; user and groups only where ``can_change_user`` (real root)."""
    names = capabilities(container)
    own, shared = container.get("securityContext") or {}, pod["spec"].get("securityContext") or {}
    numbers = None if names is None else frozenset(CAPABILITIES.index(name) for name in names)
    no_new = own.get("allowPrivilegeEscalation") is False and names is not None
    if not can_change_user:
        return Privileges(numbers, no_new)
    user, group = own.get("runAsUser", shared.get("runAsUser")), own.get("runAsGroup", shared.get("runAsGroup"))
    groups = {*(shared.get("supplementalGroups") or ()), *([shared["fsGroup"]] if "fsGroup" in shared else ())}
    if not user:
        return Privileges(numbers, no_new, None, group, tuple(sorted(groups)) if groups else None)
    return Privileges(numbers, no_new, user, group if group is not None else 0, tuple(sorted(groups)))
