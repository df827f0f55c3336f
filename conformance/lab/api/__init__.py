"""An embedded Kubernetes API server: one asyncio process, everything in memory, HTTPS with real credentials."""
