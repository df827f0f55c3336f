"""Promises about nodeport."""
