"""Promises about Services that change."""
