"""What the API refuses, in its own words."""
