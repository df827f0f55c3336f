"""Promises about a packet's path through the pod network."""
