"""The ledger's schema, one numbered file per change in `versions`, run by `isthmus.ledger.migrate` only.

Each version file says with `deploy` when it may run: "pre" (before the new release; the running one still works on
the changed schema) or "post" (once no process of the older release is left). May import nothing of ours.
"""
