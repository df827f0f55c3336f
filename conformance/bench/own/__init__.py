"""What the kit itself costs: its dials beside other ways of dialling, its runs, and its pure parts by size."""
