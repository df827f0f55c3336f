"""The lab's node agent: it runs the pods of one node as processes in namespaces and answers as a kubelet does.

What it promises and where it differs from a kubelet:

* A container is one process with its own mount and UTS namespace, in its pod's network namespace. Its root is a tmpfs
  with the machine's own ``/usr``, ``/opt`` ... in it; ``image`` is recorded, never pulled.
* Pods live as long as the agent does. When it ends or is killed they end too, and are started again by the next one.
* ``runAsUser`` is honoured by real root only: a rootless user namespace maps a single id, and there it is ignored.
* No PID namespaces, no cgroups: resource limits are ignored, and pods see each other's processes.
* The crash-loop back-off is 1 s to 10 s instead of 10 s to 5 min, and a readiness probe is asked again quickly until
  it first succeeds, because people wait for the lab.
"""
