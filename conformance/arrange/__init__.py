"""What the kit puts into a cluster, how it waits for it, and how all of it goes away again."""
