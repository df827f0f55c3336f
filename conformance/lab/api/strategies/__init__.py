"""What is particular to each resource: defaults, what a write may touch, validation, what a write allocates."""
