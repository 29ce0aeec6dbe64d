"""Simulators of the outside systems, written from their documentation and never from a connector of ours, so
that the two can disagree.

Imports nothing of isthmus outside this package; only `isthmus.cli` may import it (design.md section 8). Run alone it is
`python -m isthmus.sandbox`; in tests it is `isthmus.sandbox.server.Sandbox`.
"""
