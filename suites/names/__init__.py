"""Promises about the names of Services, and of those that are only names."""
