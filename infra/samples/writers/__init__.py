"""The formats: each writer turns the same blocks into the bytes of one format."""
