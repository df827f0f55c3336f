"""What this cluster is: one fact is one question and one pure parser of the answer."""
