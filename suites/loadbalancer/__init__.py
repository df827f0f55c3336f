"""Promises about loadbalancer."""
