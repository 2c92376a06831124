"""Work that is done in the background, bit by bit, until it is finished."""

from typing import Literal

from pydantic import BaseModel

Stage = Literal["method", "methods", "addresses", "provider", "payments"]


class Job(BaseModel, frozen=True):
    """The rest of a customer's deletion, or of one method's, which has no other stage than
    `method`. Source: design/data-model.md 2 and 6.

    `stage` and `cursor` (a sort key) say what is next, `fence` counts the writes. `due_at`
    (seconds): when a run may take it, so a run at work sets it past its own end. `has_left`: some
    payments seen in this round could still move. `failing_since` exists while a run cannot go on.
    """

    id: str
    kind: Literal["finish_deletion"] = "finish_deletion"
    customer_id: str
    method_id: str | None = None
    stage: Stage = "methods"
    cursor: str | None = None
    has_left: bool = False
    version: int = 1
    due_at: int
    failing_since: int | None = None
