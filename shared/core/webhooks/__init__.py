"""Webhooks as values: what is told, to whom, in which words, under which signature, and when once more."""
