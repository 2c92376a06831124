"""What the tests of Alternative Payments share: merchants at the gateway, and response checks."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.conftest import Environment
from tests.functions.conftest import Api, Reply
from tests.store.conftest import put_credential

CUSTOMER = {"id", "name", "email", "external_id", "default_payment_method_id", "created_at"}
USER = {"id", "email", "first_name", "last_name", "job_title", "phone", "created_at"}
PAGE = {"data", "start_cursor", "end_cursor", "has_next_page", "has_previous_page"}
SAMPLE = b'{"email":"text","external_id":"text","name":"text"}'
USER_SAMPLE = b'{"email":"text","first_name":"text","last_name":"text"}'

# The table of docs/api/alternative.md, section 5, row by row, for the list e d c b a: the direction
# and the cursor, the page, and whether there are older and newer records.
PAGE_CASES = [
    ("", "", "ed", True, False),
    ("after", "d", "cb", True, True),
    ("after", "b", "a", False, True),
    ("before", "c", "ed", True, False),
    ("before", "a", "cb", True, True),
    ("before", "d", "e", True, False),
    ("after", "a", "", False, True),
    ("before", "e", "", True, False),
]


@pytest.fixture
def merchant(environment: Environment, tables: None) -> Api:
    """A client with a key of org_1."""
    put_credential("api_key", "key-of-org-1")
    return Api(environment.gateway, {"authorization": "key-of-org-1"})


@pytest.fixture
def rival(environment: Environment, tables: None) -> Api:
    """A client with a key of org_2."""
    put_credential("api_key", "key-of-org-2", organization_id="org_2")
    return Api(environment.gateway, {"authorization": "key-of-org-2"})


@pytest.fixture
def company(merchant: Api) -> dict[str, Any]:
    """A customer of the merchant."""
    return create(merchant, name="Harbor Dental LLC")


def create(merchant: Api, path: str = "/customers", **fields: object) -> dict[str, Any]:
    reply = merchant.send("POST", path, fields)
    assert reply.status == 201, reply.text
    return dict(reply.body)


def assert_cursors(
    found: Mapping[str, Any], cursors: Mapping[str, str], page: str, *, older: bool, newer: bool
) -> None:
    """The cursors of a page, and whether there is more before and after it."""
    assert found["start_cursor"] == (cursors[page[0]] if page else None)
    assert found["end_cursor"] == (cursors[page[-1]] if page else None)
    assert (found["has_next_page"], found["has_previous_page"]) == (older, newer)


def refusal(reply: Reply) -> tuple[int, str, Mapping[str, list[str]]]:
    """Status, code and validation errors of an error.

    The body is checked by docs/api/alternative.md, section 3.
    """
    body = reply.body
    assert body.keys() == {"code", "message", "validation_errors", "errors"}, body
    assert body["message"].strip()
    flat: dict[str, list[str]] = {field: [] for field in body["validation_errors"]}
    for each in body["errors"]:
        flat[each["field"]].append(each["message"])
    assert flat == body["validation_errors"]
    return reply.status, body["code"], body["validation_errors"]
