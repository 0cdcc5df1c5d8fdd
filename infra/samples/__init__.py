"""Sample documents of our own making, and what the pipeline should find in each."""
