"""What a run leaves behind: its lines, the one way to write and read them, and the run that they tell of."""
