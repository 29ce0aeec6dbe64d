"""One HTTP session per connection: budget, sign-in, retries of safe calls, redaction.

May import contract and errors.
"""
