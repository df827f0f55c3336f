"""Faults in kube-proxy's nft transactions: how what is reached is treated on its way."""

from __future__ import annotations

from conformance.model.verdict import Mismatch
from conformance.spec.faults.damage import Damage, Site, upstream
from conformance.spec.faults.fault import Fault

_LOST = (Mismatch.NOT_REACHED, Mismatch.SOMETIMES_LOST)
_SAME_FOR_ALL = "Pods and nodes that dial a Service with externalTrafficPolicy Local reach all of its endpoints."
_TIED = "A client's connections to one port of a Service all end at one endpoint."
_KEPT_OUT = "Only clients in loadBalancerSourceRanges reach the load balancer's address."

MASQUERADE = {
    Fault.NO_HAIRPIN: Damage(
        Site.RULES,
        "the chain masquerading lets hairpin connections go as they are, at whichever address they were dialled",
        "An endpoint reaches its own Service, itself included.",
        _LOST,
        upstream(136499, 134884),
    ),
    Fault.NO_MASQUERADE: Damage(
        Site.RULES,
        "a Service's chain takes the mark off again, and no element reaches the set hairpin-connections",
        "What must come back through the node that chose the endpoint is masqueraded by it.",
        (*_LOST, Mismatch.WRONG_SOURCE),
        ("aws/amazon-vpc-cni-k8s#3872",),
    ),
    Fault.MASQUERADE_EVERYTHING: Damage(
        Site.RULES,
        "a Service's chain marks every packet",
        "An endpoint sees the address of a pod that dials the ClusterIP.",
        (Mismatch.WRONG_SOURCE,),
    ),
    Fault.OUTSIDERS_NOT_MASQUERADED: Damage(
        Site.RULES,
        "the chain services marks nothing",
        "A client outside the cluster that is routed to a ClusterIP is masqueraded.",
        (*_LOST, Mismatch.WRONG_SOURCE),
    ),
    Fault.MASQUERADED_AS_STRANGER: Damage(
        Site.RULES,
        "the chain masquerading translates to an address for documentation",
        "What is masqueraded gets an address of the node that chose the endpoint.",
        (*_LOST, Mismatch.WRONG_SOURCE),
    ),
    Fault.PODS_TAKEN_FOR_OUTSIDERS: Damage(
        Site.RULES,
        "the rules that tell pods by their range have a range in which no pod is",
        "Pods are known as such: they keep their address, and no Local policy of external traffic is for them.",
        (Mismatch.WRONG_SOURCE, Mismatch.NOT_REACHED, Mismatch.ENDPOINT_NEVER_CHOSEN),
        upstream(112820, 134024),
    ),
    Fault.SOURCE_PORTS_CLASH: Damage(
        Site.RULES,
        "masquerading keeps the source port, taken or not",
        "Two masqueraded connections never become the same one.",
        _LOST,
        upstream(78547),
    ),
}

POLICY = {
    Fault.LOCAL_POLICY_MASQUERADES: Damage(
        Site.RULES,
        "the chains external-* of Services with externalTrafficPolicy Local mark every packet",
        "With externalTrafficPolicy Local endpoints see the client's address.",
        (Mismatch.WRONG_SOURCE,),
    ),
    Fault.LOCAL_POLICY_REFUSES: Damage(
        Site.RULES,
        "drop becomes reject in the maps no-endpoint-services and no-endpoint-nodeports",
        "A node without a local endpoint drops what a Local policy keeps from the others.",
        (Mismatch.REFUSED_NOT_DROPPED,),
        upstream(119131, 121046),
    ),
    Fault.LOCAL_POLICY_NO_SHORT_CIRCUIT: Damage(
        Site.RULES,
        "the chains external-* send neither pods nor nodes past the policy",
        _SAME_FOR_ALL,
        (*_LOST, Mismatch.ENDPOINT_NEVER_CHOSEN),
        upstream(131765),
    ),
    Fault.LOCAL_POLICY_FORGETS_NODES: Damage(
        Site.RULES,
        "the chains external-* have no rules on local source addresses",
        _SAME_FOR_ALL,
        (*_LOST, Mismatch.ENDPOINT_NEVER_CHOSEN),
        ("siderolabs/pkgs#951",),
    ),
    Fault.LOCAL_POLICY_TAKES_CLUSTER_IP: Damage(
        Site.RULES,
        "the chains service-* send what was dialled at a ClusterIP where the chains local-* would",
        "externalTrafficPolicy leaves the ClusterIP to internalTrafficPolicy.",
        (*_LOST, Mismatch.ENDPOINT_NEVER_CHOSEN),
    ),
    Fault.ENDPOINTS_MISSED_TOO_EARLY: Damage(
        Site.RULES,
        "the chains nodeport-endpoints-check and service-endpoints-check are run before the translation as well",
        _SAME_FOR_ALL,
        (Mismatch.NOT_REACHED,),
        upstream(131765, 132456, 133969),
    ),
}

AFFINITY = {
    Fault.AFFINITY_IGNORED: Damage(
        Site.RULES,
        "no rule looks into an affinity set",
        _TIED,
        (Mismatch.NOT_STICKY,),
    ),
    Fault.AFFINITY_NOT_SHARED: Damage(
        Site.RULES,
        "affinity sets remember under another key those who dial another address than the ClusterIP",
        "A client is tied to one endpoint of a port at whichever address of the Service.",
        (Mismatch.NOT_STICKY,),
    ),
    Fault.AFFINITY_PORTS_TOGETHER: Damage(
        Site.RULES,
        "the chains of all ports of a Service use the affinity sets of one",
        "Each port of a Service ties its clients for itself.",
        (Mismatch.ENDPOINT_NEVER_CHOSEN,),
        upstream(103000, 123168),
    ),
    Fault.AFFINITY_NEVER_EXPIRES: Damage(
        Site.RULES,
        "affinity sets have a time-out of a year",
        "A client that has not come for longer than timeoutSeconds is tied no more.",
        (Mismatch.NEVER_FORGOTTEN,),
        upstream(35677, 89358),
    ),
    Fault.AFFINITY_EXPIRES_EARLY: Damage(
        Site.RULES,
        "affinity sets have a time-out of a second",
        "A client is tied for timeoutSeconds after a connection.",
        (Mismatch.NOT_STICKY,),
    ),
    Fault.AFFINITY_NOT_RENEWED: Damage(
        Site.RULES,
        "clients are put into affinity sets by add, not by update",
        "Every connection ties its client for timeoutSeconds more.",
        (Mismatch.NOT_STICKY,),
    ),
    Fault.AFFINITY_TIMEOUT_FROZEN: Damage(
        Site.RULES,
        "an affinity set that is there keeps its time-out",
        "A changed timeoutSeconds counts from a client's next connection.",
        (Mismatch.NEVER_FORGOTTEN,),
    ),
    Fault.AFFINITY_FORGOTTEN: Damage(
        Site.RULES,
        "every transaction empties the affinity sets",
        "A client stays tied to an endpoint that stays, whatever else changes.",
        (Mismatch.NOT_STICKY,),
        upstream(123162),
    ),
    Fault.AFFINITY_HAS_LITTLE_ROOM: Damage(
        Site.RULES,
        "affinity sets have size 2",
        "However many clients come, each is tied.",
        (Mismatch.NOT_STICKY,),
        upstream(123168),
    ),
    Fault.AFFINITY_STAYS_ON: Damage(
        Site.RULES,
        "what takes a port's rules on affinity away is left out of the transaction",
        "A Service that has no session affinity any more ties nobody.",
        (Mismatch.ENDPOINT_NEVER_CHOSEN,),
    ),
    Fault.STALE_AFFINITY: Damage(
        Site.RULES,
        "no affinity set is deleted",
        "Clients that went to another endpoint when theirs left stay there when it returns.",
        (Mismatch.NOT_STICKY,),
    ),
}

RANGES = {
    Fault.SOURCE_RANGES_IGNORED: Damage(
        Site.RULES,
        "no element reaches the map firewall-ips",
        _KEPT_OUT,
        (Mismatch.ANSWERED, Mismatch.REFUSED_NOT_DROPPED),
        upstream(122614, 88698),
    ),
    Fault.SOURCE_RANGES_DROP_ALL: Damage(
        Site.RULES,
        "the map firewall-ips drops what is for any load balancer's address of a Service with source ranges",
        "Whoever is in loadBalancerSourceRanges reaches the load balancer's address.",
        (Mismatch.NOT_REACHED,),
        upstream(122296),
    ),
    Fault.SOURCE_RANGES_ELSEWHERE: Damage(
        Site.RULES,
        "the map firewall-ips has every address and node port of the Service",
        "loadBalancerSourceRanges are about the load balancer's address only.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.SOURCE_RANGES_SKIP_NODE: Damage(
        Site.RULES,
        "the chains firewall-* spare local source addresses",
        _KEPT_OUT,
        (Mismatch.ANSWERED, Mismatch.REFUSED_NOT_DROPPED),
    ),
    Fault.SOURCE_RANGES_SKIP_PODS: Damage(
        Site.RULES,
        "the chains firewall-* spare the pods' range",
        _KEPT_OUT,
        (Mismatch.ANSWERED, Mismatch.REFUSED_NOT_DROPPED),
        upstream(110289),
    ),
    Fault.SOURCE_RANGES_FORGET_VIP: Damage(
        Site.RULES,
        "the chains firewall-* let in the ranges and not the load balancer's own address",
        "A node in the ranges also reaches a load balancer's address that is its own.",
        (Mismatch.NOT_REACHED,),
    ),
}

DAMAGE = {**MASQUERADE, **POLICY, **AFFINITY, **RANGES}
