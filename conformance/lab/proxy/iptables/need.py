"""Whether this machine's kernel has the modules without which kube-proxy cannot work in iptables mode."""

from __future__ import annotations

import asyncio

from conformance.errors import LabError
from conformance.lab.proxy import programs
from conformance.lab.proxy.iptables import tool
from conformance.model.addresses import Family

RULES = {
    "xt_comment": "*filter\n:T - [0:0]\n-A T -m comment --comment x\nCOMMIT\n",
    "xt_conntrack": "*filter\n:T - [0:0]\n-A T -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n",
    "xt_addrtype": "*filter\n:T - [0:0]\n-A T -m addrtype --dst-type LOCAL -j ACCEPT\nCOMMIT\n",
    "xt_mark": "*filter\n:T - [0:0]\n-A T -m mark --mark 0x4000/0x4000 -j ACCEPT\nCOMMIT\n",
    "xt_recent": "*nat\n:T - [0:0]\n-A T -m recent --name T --rcheck --seconds 1 --reap -j ACCEPT\nCOMMIT\n",
    "xt_statistic": "*nat\n:T - [0:0]\n-A T -m statistic --mode random --probability 0.5 -j ACCEPT\nCOMMIT\n",
    "xt_MASQUERADE": "*nat\n:T - [0:0]\n-A T -j MASQUERADE --random-fully\nCOMMIT\n",
    "xt_nat": "*nat\n:T - [0:0]\n-A T -p tcp -j DNAT --to-destination :1\nCOMMIT\n",
    "ipt_REJECT": "*filter\n:T - [0:0]\n-A T -j REJECT\nCOMMIT\n",
}
"""By module, input of iptables-restore that takes it."""


async def check(rules: dict[str, str] | None = None) -> None:
    """Try the rules in a network namespace of their own, as root of this one's users; ``LabError`` names what lacks."""
    wanted = RULES if rules is None else rules
    for family in Family:
        if await _fails(family, "".join(wanted.values())):
            # All at once is fast; one by one tells which.
            for module, text in wanted.items():
                if words := await _fails(family, text):
                    raise LabError(
                        f"kube-proxy's iptables mode needs the kernel's {module} for {family.value}: {words}.",
                        f"Load it ('modprobe {module}'), or use a kernel that has it.",
                    )


async def _fails(family: Family, text: str) -> str:
    """What iptables says against ``text``, in one line."""
    try:
        await programs.run("unshare", "--net", tool.program(family, "restore"), "--noflush", stdin=text)
    except programs.ProgramError as error:
        return " ".join(str(error).split())
    return ""


def main() -> int:
    """As a process: ends with 1 after two lines, what lacks and what to do."""
    try:
        asyncio.run(check())
    except LabError as error:
        print(error.cause, error.hint, sep="\n")
        return 1
    return 0
