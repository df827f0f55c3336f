"""Faults in kube-proxy's nft transactions: what changes does not arrive, or does not leave."""

from __future__ import annotations

from conformance.model.verdict import Mismatch
from conformance.spec.faults.damage import Damage, Site, upstream
from conformance.spec.faults.fault import Fault

_STAYS = "what is to be deleted from the maps of Services stays, and the chains behind it: "

DAMAGE = {
    Fault.STALE_SERVICE: Damage(
        Site.RULES,
        f"{_STAYS}where the Service is gone",
        "A Service that is deleted is served no more, and who gets its address inherits nothing.",
        (Mismatch.ANSWERED, Mismatch.WRONG_ENDPOINT),
    ),
    Fault.STALE_PORT: Damage(
        Site.RULES,
        f"{_STAYS}where the Service keeps the address",
        "A port that a Service loses is served no more.",
        (Mismatch.ANSWERED,),
    ),
    Fault.STALE_FAMILY: Damage(
        Site.RULES,
        f"{_STAYS}where the Service keeps the other family",
        "A family that a Service gives up is served no more.",
        (Mismatch.ANSWERED,),
    ),
    Fault.OLD_ADDRESS_SERVED: Damage(
        Site.RULES,
        f"{_STAYS}where the Service does not have the address any more",
        "An address that a Service does not have any more leads nowhere.",
        (Mismatch.ANSWERED, Mismatch.WRONG_ENDPOINT),
    ),
    Fault.OLD_NODE_PORT_SERVED: Damage(
        Site.RULES,
        f"{_STAYS}where it is a node port",
        "A node port that a Service does not have any more is closed.",
        (Mismatch.ANSWERED,),
    ),
    Fault.LEAKED_CHAINS: Damage(
        Site.RULES,
        "no chain and no affinity set of a Service is emptied or deleted",
        "What a Service has given up leaves nothing behind in the table.",
        (Mismatch.WRONG_RULES,),
        upstream(122604, 128829),
    ),
    Fault.FLOWS_FORGOTTEN: Damage(
        Site.RULES,
        "when the transaction is done that changes endpoints, the kernel forgets all translated UDP flows",
        "A UDP flow keeps its endpoint while that serves.",
        (Mismatch.WRONG_ENDPOINT, Mismatch.NOT_REACHED),
        upstream(122740),
    ),
    Fault.FLOWS_FORGOTTEN_BY_ADDRESS: Damage(
        Site.RULES,
        "when the transaction is done that changes a port's endpoints, the kernel forgets all UDP flows to the address",
        "A UDP flow keeps its endpoint while that serves, whatever happens to other ports of the address.",
        (Mismatch.WRONG_ENDPOINT,),
        upstream(129982, 130484),
    ),
    Fault.ESTABLISHED_CHECKED: Damage(
        Site.RULES,
        "the check of source ranges is made for every packet instead of the first of a connection",
        "A change of source ranges leaves established connections alone.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.BAD_OBJECT_STOPS_OTHERS: Damage(
        Site.RULES,
        "a transaction fails that has a Service with an odd slice, a rival, or a very long name in it",
        "No object keeps other Services from being programmed.",
        (Mismatch.NOT_REACHED, Mismatch.WRONG_ENDPOINT),
        upstream(139515, 139516),
    ),
    Fault.CONFLICT_STOPS_SYNC: Damage(
        Site.RULES,
        "a transaction fails that has a Service in it which claims what another one claims as well",
        "Services that claim the same address and port keep no other from being programmed.",
        (Mismatch.NOT_REACHED, Mismatch.WRONG_ENDPOINT),
        upstream(69599),
    ),
    Fault.BASE_CHAINS_MOVED: Damage(
        Site.RULES,
        "base chains of type nat are added at priorities higher by 5",
        "kube-proxy's hooks and priorities are part of what others may rely on.",
        (Mismatch.UNFIT_NODE,),
        upstream(132456),
    ),
    Fault.SYNCS_FAIL_NOW_AND_THEN: Damage(
        Site.RULES,
        "every third transaction fails as if the kernel had not taken it, and is written anew later",
        "kube-proxy writes its rules whenever it means to.",
        (Mismatch.UNFIT_NODE,),
        upstream(128829, 136786),
    ),
    Fault.RESTART_WINDOW: Damage(
        Site.RULES,
        "a proxy that starts deletes the table, and writes the new one three seconds later",
        "While kube-proxy restarts, Services are served as before.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.RESTART_FORGETS_FLOWS: Damage(
        Site.RULES,
        "when a proxy that starts has written its rules, the kernel forgets all translated UDP flows",
        "A UDP flow keeps its endpoint while kube-proxy restarts.",
        (Mismatch.WRONG_ENDPOINT, Mismatch.NOT_REACHED),
        upstream(122740),
    ),
    Fault.DELETED_RULES_STAY_AWAY: Damage(
        Site.RULES,
        "transactions on a table that was there once, and is there no more, are left out",
        "kube-proxy writes all its rules when it finds that a change of them fails, and when it starts.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.SLOW_SYNC: Damage(
        Site.RULES,
        "each transaction but the first waits for 90 seconds",
        "What changes is in force within a minute.",
        (Mismatch.NOT_REACHED, Mismatch.WRONG_ENDPOINT, Mismatch.ANSWERED),
        upstream(139513, 135639),
    ),
}
