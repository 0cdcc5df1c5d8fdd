"""Traces as a backend gets them: real HTTP, OpenTelemetry's own schema."""
