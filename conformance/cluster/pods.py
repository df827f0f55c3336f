"""What pods of the kit have in common with those who call into them."""

from __future__ import annotations

from dataclasses import dataclass

SYSTEM = "kube-system"
KUBE_PROXY = "k8s-app=kube-proxy"
"""As kubeadm, EKS and kops label kube-proxy's pods, in that namespace."""
AGENT_FOLDER = "/agent"
AGENT_FILE = "agent.py"
AGENT_PATH = f"{AGENT_FOLDER}/{AGENT_FILE}"
"""Where the ConfigMap with the agent is mounted in every pod of the kit."""


@dataclass(frozen=True, slots=True)
class PodRef:
    """A pod by namespace and name."""

    namespace: str
    name: str
