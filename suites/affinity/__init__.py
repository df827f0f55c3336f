"""Promises about affinity."""
