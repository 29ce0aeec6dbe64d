"""What a profile declares: the models of its YAML, one file per part, and how it is found and read.

Only data, no behaviour. May import model and errors, nothing of the connector around it.
"""
