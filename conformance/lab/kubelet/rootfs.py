"""A container's root: a tmpfs on which the machine's own system folders, volumes and a few files are put.

``build`` runs in the zygote's child, in a fresh mount namespace, as root or as a rootless user namespace's root; it
takes the plan as JSON (a list of ``Step``), so that the agent decides and the child only does. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import Any, TypedDict

from conformance.lab import syscalls

_KEPT = "/.host"  # where the originals of expanded folders stay reachable


class Step(TypedDict, total=False):
    """One thing to put at ``path``, by ``kind``.

    ``dir`` (``mode``), ``link`` (``text``), ``file`` (``text``, ``mode``), ``bind`` of ``source`` (``read_only``;
    ``image`` marks the machine's own folders, in which things are made without touching the machine; ``optional`` if it
    may be absent), ``sysfs`` (a new one, or else ``source``).
    """

    kind: str
    path: str
    source: str
    text: str
    mode: int
    read_only: bool
    image: bool
    optional: bool


def build(plan: dict[str, Any]) -> None:
    """Make and enter the root that ``plan`` (``at``: an empty folder to mount on, ``steps``) describes; OSError."""
    steps: list[Step] = plan["steps"]
    syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    trees = {i: tree for i, step in enumerate(steps) if (tree := _source(step)) is not None}
    syscalls.mount("tmpfs", plan["at"], "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, "mode=0755")
    os.chdir(plan["at"])
    # pivot_root(".", ".") stacks the old root on the new one: no folder for it is needed, and "." is the old one.
    syscalls.pivot_root(".", ".")
    syscalls.umount(".", syscalls.MNT_DETACH)
    os.chdir("/")
    root = _Root()
    for i, step in enumerate(steps):
        root.do(step, trees.get(i))


def _source(step: Step) -> int | None:
    if "source" not in step:
        return None
    try:
        tree = syscalls.clone_tree(step["source"])
    except FileNotFoundError:
        if step.get("optional"):
            return None
        raise
    if step.get("read_only"):
        try:
            syscalls.make_read_only(tree)
        except OSError:
            # mount_setattr came with 5.12; before, the machine's own folders stay as writable as it lets us.
            if not step.get("image"):
                raise
    return tree


class _Root:
    """The new root while it is being filled, and which of its folders are the machine's (``image``)."""

    def __init__(self) -> None:
        self._image = {"/": False}

    def do(self, step: Step, tree: int | None) -> None:
        """Carry out one step; ``tree`` is its source."""
        path, kind = step["path"], step["kind"]
        if kind == "dir":
            self._folder(path)
            os.chmod(path, step["mode"])  # noqa: PTH101  (pathlib is not worth its import in every container)
        elif kind == "link":
            self._writable(os.path.dirname(path))  # noqa: PTH120
            os.symlink(step["text"], path)  # noqa: PTH211
        elif kind == "file":
            self._write(path, step["text"], step["mode"])
        elif tree is not None:
            if kind != "sysfs" or not self._sysfs(path):
                self._attach(path, tree, image=step.get("image", False))
            os.close(tree)

    def _attach(self, path: str, tree: int, *, image: bool) -> None:
        if not os.path.exists(path):  # noqa: PTH110
            if stat.S_ISDIR(os.fstat(tree).st_mode):
                self._folder(path)
            else:
                self._write(path, "", 0o644)
        syscalls.attach_tree(tree, path)
        self._image[os.path.realpath(path)] = image

    def _sysfs(self, path: str) -> bool:
        """Whether the network namespace's own sysfs could be mounted; a container's masked /sys forbids it."""
        self._folder(path)
        try:
            syscalls.mount("sysfs", path, "sysfs", syscalls.MS_NOSUID | syscalls.MS_NODEV)
        except OSError:
            return False
        return True

    def _write(self, path: str, text: str, mode: int) -> None:
        self._writable(os.path.dirname(path))  # noqa: PTH120
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108
        fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, mode)
        os.write(fd, text.encode())
        os.close(fd)

    def _folder(self, path: str) -> None:
        if os.path.isdir(path):  # noqa: PTH112
            return
        self._writable(os.path.dirname(path))  # noqa: PTH120
        os.mkdir(path, 0o755)  # noqa: PTH102

    def _writable(self, folder: str) -> None:
        """Make ``folder`` exist and ours to write in."""
        self._folder(folder)
        real = os.path.realpath(folder)
        owner = real
        while owner not in self._image:
            owner = os.path.dirname(owner)  # noqa: PTH120
        if self._image[owner]:
            self._expand(real)

    def _expand(self, folder: str) -> None:
        """Lay a tmpfs over the machine's ``folder``, with links to what is in it."""
        kept = _KEPT + folder
        tree = syscalls.clone_tree(folder)
        self._folder(kept)
        syscalls.attach_tree(tree, kept)
        os.close(tree)
        syscalls.mount("tmpfs", folder, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, "mode=0755")
        with os.scandir(kept) as entries:
            for entry in entries:
                text = os.readlink(entry.path) if entry.is_symlink() else f"{kept}/{entry.name}"  # noqa: PTH115
                os.symlink(text, f"{folder}/{entry.name}")  # noqa: PTH211
        self._image[kept], self._image[folder] = True, False
