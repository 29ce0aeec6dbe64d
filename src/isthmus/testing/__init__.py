"""What tests and connector authors use: the connector suite, builders, a driven clock. Imported by tests only."""
