"""Background work that is done in steps, by several runs if needed."""

from typing import Literal

from bridge.models.model import Model

Stage = Literal["method", "methods", "addresses", "provider", "payments"]


class Job(Model, frozen=True, kw_only=True):
    """The rest of a deletion: of a customer, or of one payment method (stage `method` only).

    `stage` and `cursor` (a sort key) say what is next. `version`: how often it was written.
    `due_at`: the second from which a run may take it; a run that works on it sets this past its own
    end. `has_left`: some payments of this round could still change. `failing_since`: the second
    since when the stage fails; None while it does not.
    Source: docs/data-model.md, sections 2 and 6.
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
