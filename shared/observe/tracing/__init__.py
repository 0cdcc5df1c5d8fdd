"""Traces: what happened to a document, as spans that any OpenTelemetry backend understands, LangFuse among them.

spans      facts to spans; pure                 names    every attribute, once
traces     what the runtime tells, and whether  outbox   spans wait there for their way out, or are dropped
calls      a model call as a span; pure         otlp     OpenTelemetry's encoder and exporter

Nothing here is ever waited for: `Traces` gives spans to the outbox, which takes them or does not, and one thread sends.
"""
