"""What nodes printed when they were looked at, read and sorted; pure, and everything in it was written by anybody."""
