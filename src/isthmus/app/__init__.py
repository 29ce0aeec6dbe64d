"""The one place that knows everything: configuration, registry, wiring, use cases, worker.

May import everything below; is imported by cli and console.
"""
