"""Promises about internal policy."""
