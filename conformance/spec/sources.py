"""What a promise, a reason or a case may cite: constructors, and the citations that the oracle uses again and again."""

from __future__ import annotations

from conformance.model.source import Source, SourceKind

KUBE_PROXY_SOURCE = "https://github.com/kubernetes/kubernetes/blob/v1.36.2"
DOCUMENTATION = "https://kubernetes.io/docs"


def API(field: str) -> Source:  # noqa: N802  a citation reads as a proper noun
    """A field of the Kubernetes API, e.g. ``service.spec.externalTrafficPolicy``."""
    return Source(SourceKind.API, field)


def KEP(number: int) -> Source:  # noqa: N802
    """A Kubernetes enhancement proposal, by number."""
    return Source(SourceKind.KEP, f"KEP-{number}", f"https://kep.k8s.io/{number}")


def DOC(page: str) -> Source:  # noqa: N802
    """A page of the official documentation, as its path below ``kubernetes.io/docs``, fragment included."""
    return Source(SourceKind.DOC, page, f"{DOCUMENTATION}/{page.strip('/')}")


def CODE(file: str) -> Source:  # noqa: N802
    """A file of the Kubernetes source tree, as of the version that was measured (v1.36.2)."""
    return Source(SourceKind.CODE, file, f"{KUBE_PROXY_SOURCE}/{file}")


def RFC(number: int, section: str = "") -> Source:  # noqa: N802
    """An RFC, by number, and a section of it."""
    anchor = f"#section-{section}" if section else ""
    text = f"RFC {number}" + (f" section {section}" if section else "")
    return Source(SourceKind.RFC, text, f"https://www.rfc-editor.org/rfc/rfc{number}{anchor}")


SERVICE_TYPE = API("service.spec.type")
SERVICE_PORTS = API("service.spec.ports")
TARGET_PORT = API("service.spec.ports[].targetPort")
NODE_PORT = API("service.spec.ports[].nodePort")
CLUSTER_IP = API("service.spec.clusterIPs")
EXTERNAL_IPS = API("service.spec.externalIPs")
INTERNAL_POLICY = API("service.spec.internalTrafficPolicy")
EXTERNAL_POLICY = API("service.spec.externalTrafficPolicy")
SESSION_AFFINITY = API("service.spec.sessionAffinity")
AFFINITY_TIMEOUT = API("service.spec.sessionAffinityConfig.clientIP.timeoutSeconds")
HEALTH_CHECK_NODE_PORT = API("service.spec.healthCheckNodePort")
EXTERNAL_NAME = API("service.spec.externalName")
IP_FAMILIES = API("service.spec.ipFamilies")
IP_FAMILY_POLICY = API("service.spec.ipFamilyPolicy")
FINALIZERS = API("service.metadata.finalizers")
IP_ADDRESS = API("ipaddress.spec.parentRef")
SERVICE_CIDR = API("servicecidr.spec.cidrs")
HOST_PORT = API("pod.spec.containers[].ports[].hostPort")
HOST_IP = API("pod.spec.containers[].ports[].hostIP")
LOAD_BALANCER_CLASS = API("service.spec.loadBalancerClass")
CONDITIONS = API("endpointslice.endpoints[].conditions")
SOURCE_RANGES = API("service.spec.loadBalancerSourceRanges")
TRAFFIC_DISTRIBUTION = API("service.spec.trafficDistribution")
PUBLISH_NOT_READY = API("service.spec.publishNotReadyAddresses")
ALLOCATE_NODE_PORTS = API("service.spec.allocateLoadBalancerNodePorts")
IP_MODE = API("service.status.loadBalancer.ingress[].ipMode")
READY = API("endpointslice.endpoints[].conditions.ready")
SERVING = API("endpointslice.endpoints[].conditions.serving")
TERMINATING = API("endpointslice.endpoints[].conditions.terminating")
HINTS = API("endpointslice.endpoints[].hints")
SLICE_PORTS = API("endpointslice.ports")
HEADLESS_LABEL = API("service.metadata.labels[service.kubernetes.io/headless]")
PROXY_NAME_LABEL = API("service.metadata.labels[service.kubernetes.io/service-proxy-name]")

CLUSTER_CIDR = API("kubeproxyconfiguration.clusterCIDR")
DETECT_LOCAL = API("kubeproxyconfiguration.detectLocalMode")
NODE_PORT_ADDRESSES = API("kubeproxyconfiguration.nodePortAddresses")
MASQUERADE_ALL = API("kubeproxyconfiguration.masqueradeAll")

TERMINATING_ENDPOINTS = KEP(1669)
IP_MODE_KEP = KEP(1860)
INTERNAL_POLICY_KEP = KEP(2086)
NFTABLES_KEP = KEP(3866)
NO_LB_NODE_PORTS = KEP(1864)
TOPOLOGY_HINTS_KEP = KEP(2433)
PREFER_SAME_KEP = KEP(3015)

VIRTUAL_IPS = DOC("reference/networking/virtual-ips")
NFTABLES_DIFFERENCES = DOC("reference/networking/virtual-ips/#migrating-from-iptables-mode-to-nftables")
SOURCE_IP = DOC("tutorials/services/source-ip")
SERVICE_PAGE = DOC("concepts/services-networking/service")

API_CONCEPTS = DOC("reference/using-api/api-concepts")
DRY_RUN = DOC("reference/using-api/api-concepts/#dry-run")
FINALIZERS_PAGE = DOC("concepts/overview/working-with-objects/finalizers")
ADMISSION_PAGE = DOC("reference/access-authn-authz/admission-controllers/#denyserviceexternalips")
CLUSTER_IP_PAGE = DOC("concepts/services-networking/cluster-ip-allocation")
SERVICE_CIDR_PAGE = DOC("reference/networking/virtual-ips/#ip-address-objects")
RELAXED_NAMES = KEP(5311)
DNS_PAGE = DOC("concepts/services-networking/dns-pod-service")
SLICES_PAGE = DOC("concepts/services-networking/endpoint-slices")
DUAL_STACK_PAGE = DOC("concepts/services-networking/dual-stack")
NETWORK_MODEL = DOC("concepts/services-networking/#the-kubernetes-network-model")
NETWORK_PLUGINS = DOC("concepts/extend-kubernetes/compute-storage-net/network-plugins")
DNS_SPECIFICATION = Source(
    SourceKind.DOC,
    "Kubernetes DNS specification",
    "https://github.com/kubernetes/dns/blob/master/docs/specification.md",
)
HEALTHZ = DOC("reference/command-line-tools-reference/kube-proxy")
CONNTRACK_CODE = CODE("pkg/proxy/conntrack/cleanup.go")
HEALTH_CHECK_CODE = CODE("pkg/proxy/healthcheck/service_health.go")

NFTABLES_CODE = CODE("pkg/proxy/nftables/proxier.go")
NFTABLES_HOOKS = CODE("pkg/proxy/nftables/README.md")
NFTABLES_SUPPORT = CODE("pkg/proxy/nftables/supported.go")
PROXY_METRICS = CODE("pkg/proxy/metrics/metrics.go")
IPTABLES_CODE = CODE("pkg/proxy/iptables/proxier.go")
IPVS_CODE = CODE("pkg/proxy/ipvs/README.md")
TOPOLOGY_CODE = CODE("pkg/proxy/topology.go")
SLICE_CACHE_CODE = CODE("pkg/proxy/endpointslicecache.go")
SERVICE_PORT_CODE = CODE("pkg/proxy/serviceport.go")

NFT_HASH_SET = Source(
    SourceKind.CODE,
    "net/netfilter/nft_set_hash.c",
    "https://github.com/torvalds/linux/blob/v6.18/net/netfilter/nft_set_hash.c",
)
NFT_VERSIONS = Source(
    SourceKind.DOC, "kubernetes/kubernetes#136786", "https://github.com/kubernetes/kubernetes/issues/136786"
)
FORWARDING = DOC("setup/production-environment/container-runtimes/#network-configuration")
PROXY_CONFIGURATION = DOC("reference/config-api/kube-proxy-config.v1alpha1")
IP_SYSCTLS = Source(SourceKind.DOC, "ip-sysctl", "https://docs.kernel.org/networking/ip-sysctl.html")
CONNTRACK_SYSCTLS = Source(
    SourceKind.DOC, "nf_conntrack-sysctl", "https://docs.kernel.org/networking/nf_conntrack-sysctl.html"
)

DESTINATION_NAT = RFC(3022)
NAT_ICMP = RFC(5508, "4")
PATH_MTU = RFC(1191)
SYN_RETRANSMISSION = RFC(6298, "2")
CLOSED_PORT = RFC(9293, "3.5.2")
CLOSED_UDP_PORT = RFC(1122, "4.1.3.1")

_NETWORK_POLICIES = "concepts/services-networking/network-policies/"
NETWORK_POLICIES = DOC(_NETWORK_POLICIES)
NETWORK_POLICY_BEHAVIOR = DOC(f"{_NETWORK_POLICIES}#behavior-of-to-and-from-selectors")
NETWORK_POLICY_ISOLATION = DOC(f"{_NETWORK_POLICIES}#the-two-sorts-of-pod-isolation")
NETWORK_POLICY_CONNECTIONS = DOC(f"{_NETWORK_POLICIES}#networkpolicys-impact-on-existing-connections")
NETWORK_POLICY_PORTS = API("networkpolicy.spec.ingress[].ports")
NETWORK_POLICY_PEERS = API("networkpolicy.spec.ingress[].from")
NETWORK_POLICY_IP_BLOCK = API("networkpolicy.spec.ingress[].from[].ipBlock")
NETWORK_POLICY_EGRESS = API("networkpolicy.spec.egress")
NETWORK_POLICY_TYPES = API("networkpolicy.spec.policyTypes")
