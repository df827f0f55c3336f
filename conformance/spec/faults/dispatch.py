"""Faults in kube-proxy's nft transactions: what is reached at which address."""

from __future__ import annotations

from conformance.model.verdict import Mismatch
from conformance.spec.faults.damage import Damage, Site, upstream
from conformance.spec.faults.fault import Fault

_NOT_REFUSED = (Mismatch.DROPPED_NOT_REFUSED, Mismatch.WRONG_REFUSAL)

DAMAGE = {
    Fault.NO_SERVICE_RULES: Damage(
        Site.RULES,
        "no element reaches any map or set that Services fill",
        "A Service is reached at its addresses and ports from everywhere in the cluster.",
        (Mismatch.NOT_REACHED,),
        upstream(129128, 139515),
    ),
    Fault.ONE_NODE_WRONG: Damage(
        Site.RULES,
        "no element reaches any map or set that Services fill, on one node: --node, or else node-b",
        "A Service is reached from every node, and through every node.",
        (Mismatch.NOT_REACHED,),
        upstream(136786, 129128),
    ),
    Fault.ONE_FAMILY_MISSING: Damage(
        Site.RULES,
        "no element for a Service reaches the IPv6 table",
        "A dual-stack Service is reached over both families.",
        (Mismatch.NOT_REACHED,),
        upstream(140951, 122899),
    ),
    Fault.ONE_PROTOCOL_MISSING: Damage(
        Site.RULES,
        "no element for another protocol than TCP reaches the maps that lead to Services",
        "Every port of a Service is served over its protocol.",
        (Mismatch.NOT_REACHED, Mismatch.WRONG_REFUSAL),
    ),
    Fault.ONE_PORT_MISSING: Damage(
        Site.RULES,
        "of a Service's ports over one protocol, only the first one's elements reach the maps that lead to Services",
        "Every port of a Service is served.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.ENDPOINT_LEFT_OUT: Damage(
        Site.RULES,
        "where there are several endpoints to choose from, the last one is taken out",
        "Every ready endpoint of a Service is chosen some time.",
        (Mismatch.ENDPOINT_NEVER_CHOSEN,),
        upstream(101935, 121362),
    ),
    Fault.SKEWED_LOAD: Damage(
        Site.RULES,
        "where there are several endpoints to choose from, the first one is listed four times",
        "Every endpoint of a Service is chosen as often as every other.",
        (Mismatch.SKEWED,),
    ),
    Fault.LISTED_TWICE_CHOSEN_TWICE: Damage(
        Site.RULES,
        "an endpoint is listed among those to choose from once for each EndpointSlice that has it",
        "An endpoint is one endpoint, however many EndpointSlices list it.",
        (Mismatch.SKEWED,),
    ),
    Fault.SOME_CONNECTIONS_LOST: Damage(
        Site.RULES,
        "the random number that chooses an endpoint has one value that stands for none",
        "Every connection to a Service that has endpoints reaches one.",
        (Mismatch.SOMETIMES_LOST,),
    ),
    Fault.NO_ENDPOINTS_DROPS: Damage(
        Site.RULES,
        "elements of no-endpoint-services and no-endpoint-nodeports drop where they should reject",
        "A Service without endpoints refuses, so that its clients need not wait.",
        (Mismatch.DROPPED_NOT_REFUSED,),
        upstream(71305, 43969),
    ),
    Fault.NO_ENDPOINTS_ANSWERS: Damage(
        Site.RULES,
        "what elements of no-endpoint-services and no-endpoint-nodeports reject is sent to another Service's endpoints",
        "A Service without endpoints refuses.",
        (Mismatch.ANSWERED,),
    ),
    Fault.UNUSED_PORT_FORWARDED: Damage(
        Site.RULES,
        "cluster-ips-check lets pass whatever is sent to a ClusterIP, but ICMP",
        "A port that no Service has at a ClusterIP is refused on the client's own node.",
        (*_NOT_REFUSED, Mismatch.LEAKED),
        upstream(122692, 22952),
    ),
    Fault.ECHO_FORWARDED: Damage(
        Site.RULES,
        "cluster-ips-check lets pass ICMP that is sent to a ClusterIP",
        "An echo request to a ClusterIP is refused on the client's own node.",
        _NOT_REFUSED,
        upstream(72236),
    ),
    Fault.UNALLOCATED_FORWARDED: Damage(
        Site.RULES,
        "cluster-ips-check does not drop what is sent to Service CIDRs",
        "Packets to a ClusterIP that no Service has never leave the node.",
        (Mismatch.LEAKED, Mismatch.REFUSED_NOT_DROPPED),
    ),
    Fault.WRONG_TARGET_PORT: Damage(
        Site.RULES,
        "endpoints are dialled at port 1",
        "A Service port leads to its targetPort at every endpoint.",
        (Mismatch.NOT_REACHED,),
    ),
    Fault.NODE_PORT_NOT_SERVED: Damage(
        Site.RULES,
        "no element reaches the map service-nodeports",
        "A node port leads to its Service's endpoints on every node.",
        (Mismatch.NOT_REACHED,),
        upstream(122899),
    ),
    Fault.NODE_PORT_ON_EVERY_ADDRESS: Damage(
        Site.RULES,
        "rules that ask for an address in nodeport-ips are content with any address of the node but loopback",
        "Node ports are served at the addresses that nodePortAddresses selects, and at no other.",
        (Mismatch.ANSWERED,),
        upstream(111863),
    ),
    Fault.NODE_PORT_ON_LOOPBACK: Damage(
        Site.RULES,
        "one more rule looks up what is sent to 127.0.0.0/8 in service-nodeports, and the node routes such addresses",
        "In nftables mode node ports are not served at loopback addresses.",
        (Mismatch.ANSWERED,),
        (*upstream(132955), "k0sproject/k0s#5760"),
    ),
    Fault.EXTERNAL_IP_TAKES_NODE: Damage(
        Site.RULES,
        "an external IP that is a node's address is put among the ClusterIPs, whose other ports are refused",
        "An external IP takes only the ports that its Service has.",
        (Mismatch.NOT_REACHED,),
        upstream(104679),
    ),
    Fault.SHARED_ADDRESS_MIXED_UP: Damage(
        Site.RULES,
        "all ports of an external address lead to the Service that was programmed there first",
        "Services that share an external IP have their own ports there.",
        (Mismatch.WRONG_ENDPOINT,),
    ),
    Fault.PARTIAL_SYNC_FORGETS: Damage(
        Site.RULES,
        "of the Services that transactions add that are not full ones, each leaves only the one that it names last",
        "A Service is served however often others change.",
        (Mismatch.NOT_REACHED,),
        upstream(121362, 122048),
    ),
    Fault.BASE_JUMP_MISSING: Damage(
        Site.RULES,
        "nat-output has no rule",
        "A node's own processes reach Services as pods do.",
        (Mismatch.NOT_REACHED,),
    ),
}
