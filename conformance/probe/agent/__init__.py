"""The agent's source: standard library only, Python >= 3.8, Linux; `conformance.probe.bundle` makes one file of it.

Modules import names from each other, never modules, and all top-level names differ: in the one file they share a
namespace. Nothing of the kit may be imported here.
"""
