"""Promises about clusterip."""
