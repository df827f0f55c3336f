"""What a bench has measured: the lines of ``bench.jsonl``, the statistics over them, and two of them compared. Pure."""
