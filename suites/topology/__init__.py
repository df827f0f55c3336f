"""Promises about topology: hints and trafficDistribution."""
