"""The events that are sent: those of events/ with the ids that `seed` stores."""

import copy
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).resolve().parent.parent / "events" / "native"
READER, PAYER = "session_of_reader", "session_of_payer"
PAGE, DEEPEST = 20, 10_000


def suffix(session_id: str, number: int) -> str:
    """26 characters that sort by number, and after all real ids."""
    return f"{session_id[11:13]}{number:024d}"


def payment_id(session_id: str, number: int) -> str:
    """The id of a session's payment."""
    return f"pay_{suffix(session_id, number)}"


def customer_id(session_id: str) -> str:
    """The id of a session's customer."""
    return f"cust_{suffix(session_id, 0)}"


def of(endpoint: str, first: int) -> Iterator[dict[str, Any]]:
    """Yield events without end. Each has a new number, so no payment and no key repeats."""
    name = endpoint.removesuffix("_deep")
    event = json.loads((EVENTS / f"{name}.json").read_text())
    for number in itertools.count(first):
        yield _numbered(copy.deepcopy(event), endpoint, number)


def _numbered(event: dict[str, Any], endpoint: str, number: int) -> dict[str, Any]:
    pays = endpoint in ("create_payment_intent", "confirm_payment")
    event["headers"]["x-session-id"] = PAYER if pays else READER
    match endpoint:
        case "get_payment":
            _set_id(event, payment_id(READER, 0))
        case "get_customer":
            _set_id(event, customer_id(READER))
        case "list_payments":
            _set_query(event, limit=PAGE)
        case "list_payments_deep":
            _set_query(event, limit=PAGE, offset=DEEPEST)
        case "create_payment_intent":
            event["headers"]["idempotency-key"] = f"bench-{number}"
        case "confirm_payment":
            _set_id(event, payment_id(PAYER, number))
            event["body"] = json.dumps({"payment_method_id": "pm_card_visa"})
    return event


def _set_query(event: dict[str, Any], **query: int) -> None:
    event["rawQueryString"] = "&".join(f"{name}={value}" for name, value in query.items())
    event["queryStringParameters"] = {name: str(value) for name, value in query.items()}


def _set_id(event: dict[str, Any], identifier: str) -> None:
    path = f"{event['rawPath'].rpartition('/')[0]}/{identifier}"
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["pathParameters"] = {"id": identifier}
