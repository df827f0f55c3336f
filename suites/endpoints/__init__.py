"""Promises about endpoints."""
