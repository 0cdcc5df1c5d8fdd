"""The scenarios of `penstock bench failures`.

replay   dead letters of six causes, two of them mended and replayed, the replayer killed again and again
"""
