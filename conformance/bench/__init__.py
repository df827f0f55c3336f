"""``nftconform bench``: the data plane and the control plane of one cluster, or of labs side by side, measured.

`planning` says what is measured in which order (pure), `agent` does it inside pods, the rest composes; what comes out
is `conformance.measured`.
"""
