"""Who acts, for the audit."""

from __future__ import annotations

import getpass
import os


def local_user() -> str:
    """The person at this machine, by the name the operating system knows."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container without an entry for its user
        name = str(os.getuid())
    return f"local user {name}"
