"""The README does what it shows, and shows what is there."""
