"""What kind of program a file is, by its first bytes. Pure.

Source: ``elf.h`` of the System V ABI, and the machine numbers that it registers.
"""

from __future__ import annotations

import struct

HEADER_BYTES = 20

_MAGIC = b"\x7fELF"
_LITTLE = 1
_MACHINES = {3: "386", 40: "arm", 22: "s390x", 62: "amd64", 183: "arm64", 243: "riscv64", 258: "loong64"}
_POWER = 21
_OTHERS = (
    (b"MZ", "Windows"),
    (b"\xcf\xfa\xed\xfe", "macOS"),
    (b"\xca\xfe\xba\xbe", "macOS"),
)
_HERE = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "armv8l": "arm", "i686": "386"}


def architecture(machine: str) -> str:
    """Kubernetes' name of the architecture that ``uname -m`` calls ``machine``."""
    return _HERE.get(machine, machine)


def obstacle(header: bytes, here: str) -> str:
    """Why a file that begins with ``header`` cannot run on Linux on the architecture ``here``; empty when it can.

    A script is taken for what it is: some distributions wrap programs in one.
    """
    if header.startswith(b"#!"):
        return ""
    if not header.startswith(_MAGIC):
        for magic, system in _OTHERS:
            if header.startswith(magic):
                return f"is a program for {system}"
        return "is empty" if not header else "is no program"
    if len(header) < HEADER_BYTES:
        return "is cut short"
    order = "<" if header[5] == _LITTLE else ">"
    (number,) = struct.unpack_from(f"{order}H", header, 18)
    power = "ppc64le" if order == "<" else "ppc64"
    found = power if number == _POWER else _MACHINES.get(number, f"ELF machine {number}")
    return "" if found == here else f"is a program for {found}, and this machine is {here}"
