"""Faults of the node and of the pod network: a privileged pod on the node puts each of them in and takes it out."""
