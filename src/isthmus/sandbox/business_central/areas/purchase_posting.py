"""How posting of a document runs: what was done before is committed, the first error comes without its native code, and
what is posted is committed at once (bc.md sections 7 and 15, SendToPosting).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.errors import Refusal

T = TypeVar("T")


def send_to_posting(call: Call, post: Callable[[], T]) -> T:
    """Run `post`. Raises Application_DialogException with the text of what it raised; nothing of it remains then."""
    call.tx.commit()
    mark = call.tx.mark()
    try:
        found = post()
    except Refusal as refusal:
        call.tx.rollback(mark)
        raise errors.dialog(refusal.message) from None
    call.tx.commit()
    return found
