"""The writers: each turns results into one document, and decides nothing."""
