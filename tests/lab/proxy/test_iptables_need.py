"""A kernel without a module that kube-proxy's iptables mode needs is told by its name."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from conformance.errors import LabError
from conformance.lab.proxy.iptables.need import RULES, check
from tests.lab.proxy.daemon import ROOT

_CHECK = "import asyncio; from conformance.lab.proxy.iptables.need import check; asyncio.run(check())"


def test_this_kernel_has_them_in_a_user_namespace_too() -> None:
    command = ["unshare", "-Ur", sys.executable, "-c", _CHECK]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces of root's")
def test_what_lacks_is_named() -> None:
    # nfacct's counter is not there, which iptables tells like a module that is not.
    lacking = {"xt_nfacct": "*filter\n:T - [0:0]\n-A T -m nfacct --nfacct-name absent -j ACCEPT\nCOMMIT\n"}
    with pytest.raises(LabError) as told:
        asyncio.run(check(RULES | lacking))
    assert told.value.cause.startswith("kube-proxy's iptables mode needs the kernel's xt_nfacct for IPv4: iptables")
    assert told.value.hint == "Load it ('modprobe xt_nfacct'), or use a kernel that has it."
