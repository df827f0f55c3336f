"""Faults of a node's kernel, tools and other tables, each of one node: the last where nobody says which."""

from __future__ import annotations

from conformance.model.verdict import Mismatch
from conformance.spec.faults.damage import Damage, Site, upstream
from conformance.spec.faults.fault import Fault

_UNFIT = (Mismatch.UNFIT_NODE,)

DAMAGE = {
    Fault.EXPRESSION_REFUSED: Damage(
        Site.NODE,
        "the nft of kube-proxy's pod refuses to check a table with a fib expression, as on a kernel without it",
        "A node's kernel has what kube-proxy's rules need.",
        _UNFIT,
        ("siderolabs/pkgs#951",),
    ),
    Fault.NFT_TOO_OLD: Damage(
        Site.NODE,
        "the nft of kube-proxy's pod says that it is 1.0.0",
        "kube-proxy's nft is new enough to leave other tables alone.",
        _UNFIT,
        upstream(122743),
    ),
    Fault.NFT_CRASHES: Damage(
        Site.NODE,
        "the nft of kube-proxy's pod ends with 139 (SIGSEGV) when it is to list the ruleset",
        "Tables of others do not keep kube-proxy from its work.",
        _UNFIT,
        upstream(136786, 140898),
    ),
    Fault.NFT_VERSIONS_CLASH: Damage(
        Site.NODE,
        "the nft of kube-proxy's pod says that it is 1.1.3, or 1.0.1 where the node's own is newer than 1.1.1",
        "kube-proxy's nft and the node's understand what the other writes.",
        _UNFIT,
        (*upstream(136786), "k0sproject/k0s#7293"),
    ),
    Fault.FORWARDING_OFF: Damage(
        Site.NODE,
        "net.ipv4.ip_forward and net.ipv6.conf.all.forwarding are 0",
        "Nodes forward packets to pods.",
        _UNFIT,
    ),
    Fault.STRICT_REVERSE_PATH: Damage(
        Site.NODE,
        "net.ipv4.conf.all.rp_filter is 1",
        "Packets may come in by another interface than their answers leave by.",
        _UNFIT,
    ),
    Fault.CONNTRACK_FORGETS_EARLY: Damage(
        Site.NODE,
        "net.netfilter.nf_conntrack_tcp_timeout_established is 300",
        "An idle connection is remembered as long as kube-proxy is configured to see to.",
        _UNFIT,
    ),
    Fault.IPTABLES_LEFTOVERS: Damage(
        Site.NODE,
        "tables ip nat and ip6 nat have chains KUBE-SERVICES and KUBE-SVC-TCOU7JCQXEZGVUNU",
        "When kube-proxy starts in another mode, it takes away what the mode before has written.",
        _UNFIT,
        upstream(119265),
    ),
    Fault.IPVS_LEFTOVERS: Damage(
        Site.NODE,
        "there is an interface kube-ipvs0",
        "When kube-proxy starts in another mode, it takes away what the mode before has written.",
        _UNFIT,
        (*upstream(109286), "kubernetes/kube-proxy#13"),
    ),
    Fault.FOREIGN_CHAIN_BESIDE: Damage(
        Site.NODE,
        "an inet table has a nat chain on prerouting at priority -100, which does nothing",
        "Which of two chains on one hook and priority comes first is left open.",
        _UNFIT,
        ("projectcalico/calico#9130", "antrea-io/antrea#7391"),
    ),
    Fault.FOREIGN_POLICY_DROPS: Damage(
        Site.NODE,
        "an inet table has a filter chain on forward with the policy drop, which lets pass only what is established",
        "kube-proxy opens no firewall: who drops by default must name what is to pass.",
        (*_UNFIT, Mismatch.NOT_REACHED),
        upstream(39823, 59656),
    ),
    Fault.FOREIGN_REJECTS_TRANSLATED: Damage(
        Site.NODE,
        "an inet table has a filter chain on forward that rejects new connections whose destination was translated",
        "What kube-proxy has translated passes the other tables of the node.",
        (Mismatch.NOT_REACHED,),
        ("firewalld/firewalld#1536",),
    ),
    Fault.FOREIGN_INPUT_DROPS: Damage(
        Site.NODE,
        "an inet table has a filter chain on input that drops new connections to ports from 1024 to 29999 which are no "
        "component's",
        "kube-proxy opens no firewall: endpoints on the host's network need their ports named there.",
        (Mismatch.NOT_REACHED,),
        upstream(71305),
    ),
    Fault.DNS_NOT_TRACKED: Damage(
        Site.NODE,
        "an inet table has chains at priority -300 with notrack for the ClusterIPs of cluster DNS",
        "What is sent to a ClusterIP is tracked, or answered by somebody on the node.",
        (Mismatch.NOT_REACHED, Mismatch.WRONG_NAME),
        ("kubernetes/dns#682", *upstream(98758)),
    ),
    Fault.OLD_RULES_INTERCEPT: Damage(
        Site.NODE,
        "an inet table has nat chains just before kube-proxy's that translate every ClusterIP to an address nobody has",
        "When kube-proxy starts in another mode, it takes away what the mode before has written.",
        (Mismatch.NOT_REACHED, Mismatch.REFUSED_NOT_DROPPED, Mismatch.ANSWERED),
        upstream(119265),
    ),
    Fault.IPTABLES_FLAVOURS_MIXED: Damage(
        Site.NODE,
        "tables ip filter and ip6 filter have a rule, and the iptables-legacy-save of kube-proxy's pod prints another",
        "All programs on a node use one flavour of iptables.",
        _UNFIT,
        ("Azure/azure-container-networking#3094", "cilium/cilium#20123"),
    ),
}
