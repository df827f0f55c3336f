"""The fields of the objects that kubectl's own commands send, with their protobuf numbers, as the API publishes them.

One message a line: ``Message name:number[:type] ...``. Types: (none) string, ``int``, ``bool``, ``map`` (strings),
``bytes-map``, ``quantities``, ``time``, ``int-or-string``, or a message; ``*`` before one repeats it, ``?`` after one
keeps zero and false, which are otherwise the same as nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

_MESSAGES = """
ObjectMeta name:1 generateName:2 namespace:3 selfLink:4 uid:5 resourceVersion:6 generation:7:int \
 creationTimestamp:8:time deletionTimestamp:9:time deletionGracePeriodSeconds:10:int? labels:11:map \
 annotations:12:map ownerReferences:13:*OwnerReference finalizers:14:* managedFields:17:skipped
OwnerReference kind:1 name:3 uid:4 apiVersion:5 controller:6:bool? blockOwnerDeletion:7:bool?
DeleteOptions gracePeriodSeconds:1:int? preconditions:2:Preconditions orphanDependents:3:bool? propagationPolicy:4 \
 dryRun:5:*
Preconditions uid:1 resourceVersion:2
LabelSelector matchLabels:1:map matchExpressions:2:*LabelSelectorRequirement
LabelSelectorRequirement key:1 operator:2 values:3:*
Namespace metadata:1:ObjectMeta spec:2:NamespaceSpec status:3:skipped
NamespaceSpec finalizers:1:*
ConfigMap metadata:1:ObjectMeta data:2:map binaryData:3:bytes-map immutable:4:bool?
Secret metadata:1:ObjectMeta data:2:bytes-map type:3 stringData:4:map immutable:5:bool?
ServiceAccount metadata:1:ObjectMeta secrets:2:*ObjectReference imagePullSecrets:3:*LocalObjectReference \
 automountServiceAccountToken:4:bool?
ObjectReference kind:1 namespace:2 name:3 uid:4 apiVersion:5 resourceVersion:6 fieldPath:7
LocalObjectReference name:1
EndpointSlice metadata:1:ObjectMeta endpoints:2:*Endpoint ports:3:*EndpointPort addressType:4
Endpoint addresses:1:* conditions:2:EndpointConditions hostname:3 targetRef:4:ObjectReference deprecatedTopology:5:map \
 nodeName:6 zone:7 hints:8:EndpointHints
EndpointConditions ready:1:bool? serving:2:bool? terminating:3:bool?
EndpointPort name:1 protocol:2 port:3:int? appProtocol:4
EndpointHints forZones:1:*Hint forNodes:2:*Hint
Hint name:1
Binding metadata:1:ObjectMeta target:2:ObjectReference
Service metadata:1:ObjectMeta spec:2:ServiceSpec status:3:skipped
ServiceSpec ports:1:*ServicePort selector:2:map clusterIP:3 type:4 externalIPs:5:* sessionAffinity:7 loadBalancerIP:8 \
 loadBalancerSourceRanges:9:* externalName:10 externalTrafficPolicy:11 healthCheckNodePort:12:int \
 publishNotReadyAddresses:13:bool sessionAffinityConfig:14:SessionAffinityConfig ipFamilyPolicy:17 clusterIPs:18:* \
 ipFamilies:19:* allocateLoadBalancerNodePorts:20:bool? loadBalancerClass:21 internalTrafficPolicy:22 \
 trafficDistribution:23
ServicePort name:1 protocol:2 port:3:int targetPort:4:int-or-string nodePort:5:int appProtocol:6
SessionAffinityConfig clientIP:1:ClientIPConfig
ClientIPConfig timeoutSeconds:1:int?
NetworkPolicy metadata:1:ObjectMeta spec:2:NetworkPolicySpec
NetworkPolicySpec podSelector:1:LabelSelector ingress:2:*NetworkPolicyIngressRule egress:3:*NetworkPolicyEgressRule \
 policyTypes:4:*
NetworkPolicyIngressRule ports:1:*NetworkPolicyPort from:2:*NetworkPolicyPeer
NetworkPolicyEgressRule ports:1:*NetworkPolicyPort to:2:*NetworkPolicyPeer
NetworkPolicyPort protocol:1 port:2:int-or-string endPort:3:int?
NetworkPolicyPeer podSelector:1:LabelSelector namespaceSelector:2:LabelSelector ipBlock:3:IPBlock
IPBlock cidr:1 except:2:*
Pod metadata:1:ObjectMeta spec:2:PodSpec status:3:skipped
PodTemplateSpec metadata:1:ObjectMeta spec:2:PodSpec
PodSpec containers:2:*Container restartPolicy:3 terminationGracePeriodSeconds:4:int? activeDeadlineSeconds:5:int? \
 dnsPolicy:6 nodeSelector:7:map serviceAccountName:8 serviceAccount:9 nodeName:10 hostNetwork:11:bool hostPID:12:bool \
 hostIPC:13:bool securityContext:14:PodSecurityContext imagePullSecrets:15:*LocalObjectReference hostname:16 \
 subdomain:17 schedulerName:19 initContainers:20:*Container automountServiceAccountToken:21:bool? \
 tolerations:22:*Toleration priorityClassName:24 priority:25:int? enableServiceLinks:30:bool? preemptionPolicy:31
Toleration key:1 operator:2 value:3 effect:4 tolerationSeconds:5:int?
PodSecurityContext runAsUser:2:int? runAsNonRoot:3:bool? fsGroup:5:int? runAsGroup:6:int?
Container name:1 image:2 command:3:* args:4:* workingDir:5 ports:6:*ContainerPort env:7:*EnvVar \
 resources:8:ResourceRequirements volumeMounts:9:*VolumeMount terminationMessagePath:13 imagePullPolicy:14 \
 securityContext:15:SecurityContext stdin:16:bool stdinOnce:17:bool tty:18:bool terminationMessagePolicy:20
ContainerPort name:1 hostPort:2:int containerPort:3:int protocol:4 hostIP:5
EnvVar name:1 value:2
ResourceRequirements limits:1:quantities requests:2:quantities
VolumeMount name:1 readOnly:2:bool mountPath:3 subPath:4
SecurityContext privileged:2:bool? runAsUser:4:int? runAsNonRoot:5:bool? readOnlyRootFilesystem:6:bool? \
 allowPrivilegeEscalation:7:bool? runAsGroup:8:int?
Deployment metadata:1:ObjectMeta spec:2:DeploymentSpec status:3:skipped
DeploymentSpec replicas:1:int? selector:2:LabelSelector template:3:PodTemplateSpec strategy:4:DeploymentStrategy \
 minReadySeconds:5:int revisionHistoryLimit:6:int? paused:7:bool progressDeadlineSeconds:9:int?
DeploymentStrategy type:1 rollingUpdate:2:RollingUpdate
RollingUpdate maxUnavailable:1:int-or-string maxSurge:2:int-or-string
SelfSubjectAccessReview metadata:1:ObjectMeta spec:2:SubjectAccessReviewSpec status:3:skipped
SubjectAccessReview metadata:1:ObjectMeta spec:2:SubjectAccessReviewSpec status:3:skipped
LocalSubjectAccessReview metadata:1:ObjectMeta spec:2:SubjectAccessReviewSpec status:3:skipped
SubjectAccessReviewSpec resourceAttributes:1:ResourceAttributes nonResourceAttributes:2:NonResourceAttributes user:3 \
 groups:4:* uid:6
ResourceAttributes namespace:1 verb:2 group:3 version:4 resource:5 subresource:6 name:7
NonResourceAttributes path:1 verb:2
SelfSubjectRulesReview metadata:1:ObjectMeta spec:2:SelfSubjectRulesReviewSpec status:3:skipped
SelfSubjectRulesReviewSpec namespace:1
SelfSubjectReview metadata:1:ObjectMeta status:2:skipped
TokenReview metadata:1:ObjectMeta spec:2:TokenReviewSpec status:3:skipped
TokenReviewSpec token:1 audiences:2:*
TokenRequest metadata:1:ObjectMeta spec:2:TokenRequestSpec status:3:skipped
TokenRequestSpec audiences:1:* boundObjectRef:3:BoundObjectReference expirationSeconds:4:int?
BoundObjectReference kind:1 apiVersion:2 name:3 uid:4
Role metadata:1:ObjectMeta rules:2:*PolicyRule
ClusterRole metadata:1:ObjectMeta rules:2:*PolicyRule aggregationRule:3:skipped
PolicyRule verbs:1:* apiGroups:2:* resources:3:* resourceNames:4:* nonResourceURLs:5:*
RoleBinding metadata:1:ObjectMeta subjects:2:*Subject roleRef:3:RoleRef
ClusterRoleBinding metadata:1:ObjectMeta subjects:2:*Subject roleRef:3:RoleRef
RoleRef apiGroup:1 kind:2 name:3
Subject kind:1 apiGroup:2 name:3 namespace:4
Eviction metadata:1:ObjectMeta deleteOptions:2:DeleteOptions
Scale metadata:1:ObjectMeta spec:2:ScaleSpec status:3:skipped
ScaleSpec replicas:1:int
"""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message."""

    name: str
    type: str
    repeated: bool
    keeps_zero: bool


def _field(name: str, kind: str) -> Field:
    return Field(name, kind.strip("*?") or "string", kind.startswith("*"), kind.endswith("?"))


@cache
def messages() -> dict[str, dict[int, Field]]:
    """The fields of every known message, by number."""
    known: dict[str, dict[int, Field]] = {}
    for line in _MESSAGES.strip().splitlines():
        message, *fields = line.split()
        known[message] = {}
        for each in fields:
            name, number, kind = (*each.split(":"), "")[:3]
            known[message][int(number)] = _field(name, kind)
    return known
