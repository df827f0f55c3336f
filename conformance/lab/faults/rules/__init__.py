"""Faults in kube-proxy's nft transactions: each takes a transaction and gives back what reaches the kernel instead."""
