"""The lab's CNI runtime: pods are connected by real plugins, as containernetworking/cni's SPEC.md 1.0 and 1.1 ask.

``conf`` and ``result`` are what plugins are told and say (pure), ``execution`` runs one, ``cache`` remembers what ADD
said, ``runtime`` makes a chain of them, and ``network`` is the kubelet's pod network on top. ``profile`` and ``choice``
say which network it is, and ``preparation`` makes a node what its agent would have made it.
"""
