"""What tests and connector authors use: the connector suite and its harness. Imported by tests only.

A connector author subclasses `isthmus.testing.suite.ConnectorSuite` in a test file, gives it a `harness` fixture, and
receives the whole contract as tests. May import contract, model and errors.
"""
