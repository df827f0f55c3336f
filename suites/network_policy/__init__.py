"""NetworkPolicies and Services: what a policy keeps out or lets in, whichever address of a Service was dialled."""
