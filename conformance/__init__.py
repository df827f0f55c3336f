"""nftconform: does a cluster's Service networking keep the promises of the Kubernetes API?"""

__version__ = "0.1.0"
