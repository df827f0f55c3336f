"""What a run says of a network plugin: which promises hold, which do not or were not asked, and why probably."""
