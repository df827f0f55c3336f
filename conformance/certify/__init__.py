"""Conformance reports: what a run comes to by profile, for publishing, and whether such a report is to be believed."""
