"""What a connector is: reader, writer, look-up, capabilities, pages, outcomes.

sync imports it, connectors implement it.

May import model and errors only.
"""
