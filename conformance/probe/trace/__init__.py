"""Follows packets through the rules of a node while a dial is made."""
