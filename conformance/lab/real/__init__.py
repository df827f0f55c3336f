"""A real control plane and kube-proxy in the lab, from programs that the user has; nodes and pods stay the lab's.

`elf`, `binaries`, `proxy_config`, `choice`   what the user named, checked before anything is started
`components`, `program`, `relay`              the processes that a lab then has in place of its embedded ones
"""
