"""What the sample documents say, type by type; how it is written down is the writers' concern."""
