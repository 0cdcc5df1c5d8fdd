"""Answers that arrive in pieces: the framing, what has come so far, what it is worth, and how long it is waited for."""
