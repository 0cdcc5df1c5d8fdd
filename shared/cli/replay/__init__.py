"""Replays of dead letters: planned, driven, shown."""
