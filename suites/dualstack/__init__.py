"""Promises about dual-stack Services."""
