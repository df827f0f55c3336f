"""Promises about connection tracking."""
