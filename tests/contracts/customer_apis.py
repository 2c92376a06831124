"""One organization that calls the gateway, with a credential for each of the four APIs.

Every response must have the shape of its API. Lists are read page by page to their end.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from bridge import clock
from bridge.models.caller import Session
from bridge.store.access import session_items
from local.event import Answer
from local.gateway import Gateway
from tests.contracts.customer_model import Facts, Rendered
from tests.contracts.shape import assert_contract
from tests.functions.monri.conftest import Merchant
from tests.store.conftest import put_credential

ORGANIZATION, USER, USER_NAME = "org_1", "user_1", "Jane Doe"
USER_EMAIL = "jane.doe@example.com"
KEY, MERCHANT, MERCHANT_KEY = "acct_1_s3cr3t_kid1", "c0ffee" * 6, "mk_of_org_1"
CLIENT, CLIENT_SECRET = "client_of_org_1", "secret_of_org_1"
NATIVE, MONRI, ALTERNATIVE = "/bridge-payment/customers", "/v2/customers", "/customers"
PAYMENTS_AI = f"/v1/public-api/organizations/{ORGANIZATION}/customers"


def enroll(*, by_token: bool) -> None:
    """Store the organization's credentials, and the session of an admin.

    `by_token`: also an OAuth client.
    """
    put_credential("api_key", KEY, organization_id=ORGANIZATION)
    put_credential("merchant", MERCHANT, MERCHANT_KEY, organization_id=ORGANIZATION)
    if by_token:
        put_credential("oauth_client", CLIENT, CLIENT_SECRET, organization_id=ORGANIZATION)
    session = Session(
        user_id=USER,
        email=USER_EMAIL,
        name=USER_NAME,
        organizations={ORGANIZATION: "admin"},
        expires_at=clock.now() + timedelta(days=365),
    )
    session_items.put("session_of_user_1", session)


@dataclass
class Apis:
    """Calls the four APIs.

    `by_token`: Monri and Alternative Payments are called with OAuth tokens, which expire. Else
    with digests and a key.
    """

    gateway: Gateway
    by_token: bool = False
    _tokens: dict[str, str] = field(default_factory=dict)

    def forget_tokens(self) -> None:
        """Get new tokens for the next calls."""
        self._tokens.clear()

    def native(
        self, method: str, target: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Call the native API."""
        signed = {"X-Session-ID": "session_of_user_1"} | (headers or {})
        return self._send(method, target, _json(body), signed)

    def payments_ai(
        self, method: str, target: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Call the payments.ai API."""
        signed = {"Authorization": f"ApiKey {KEY}"} | (headers or {})
        return self._send(method, target, _json(body), signed)

    def monri(self, method: str, target: str, body: object = None) -> Answer:
        """Call the Monri API."""
        token = self._monri_token() if self.by_token else None
        merchant = Merchant(self.gateway, MERCHANT, MERCHANT_KEY, token)
        content = _json(body)
        signed = {"Authorization": merchant.authorization(target, content)}
        return self._send(method, target, content, signed)

    def _monri_token(self) -> str:
        if "monri" not in self._tokens:
            request = {"client_id": MERCHANT, "client_secret": MERCHANT_KEY}
            body = _json(request | {"grant_type": "client_credentials"})
            self._tokens["monri"] = self._send("POST", "/v2/oauth", body, {}).json()["access_token"]
        return self._tokens["monri"]

    def alternative(self, method: str, target: str, body: object = None) -> Answer:
        """Call the Alternative Payments API."""
        given = f"Bearer {self._alternative_token()}" if self.by_token else KEY
        return self._send(method, target, _json(body), {"Authorization": given})

    def _alternative_token(self) -> str:
        if "alternative" not in self._tokens:
            pair = base64.b64encode(f"{CLIENT}:{CLIENT_SECRET}".encode()).decode()
            signed = {"Authorization": f"Basic {pair}"}
            answer = self._send("POST", "/oauth/token", b"grant_type=client_credentials", signed)
            self._tokens["alternative"] = answer.json()["access_token"]
        return self._tokens["alternative"]

    def _send(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Answer:
        sent = {"Content-Type": "application/json"} | headers
        answer = self.gateway.call(method, target, sent, body)
        assert_contract(answer, target)
        return answer

    def read(self, api: str, facts: Facts) -> Answer:
        """Get the customer by its id in that API."""
        match api:
            case "native":
                return self.native("GET", f"{NATIVE}/{facts.native_id}")
            case "payments_ai":
                return self.payments_ai("GET", f"{PAYMENTS_AI}/{facts.short_id}")
            case "monri":
                return self.monri("GET", f"{MONRI}/{facts.uuid}")
        return self.alternative("GET", f"{ALTERNATIVE}/{facts.short_id}")

    def read_by_merchant_id(self, merchant_customer_id: str) -> Answer:
        """Get the customer by the merchant's own id (Monri)."""
        return self.monri("GET", f"/v2/merchants/customers/{quote(merchant_customer_id, safe='')}")

    def list_all(self, api: str, size: int) -> list[Rendered]:
        """The organization's list of customers, read in pages of `size`."""
        match api:
            case "native":
                return self.native_list(size, organization_id=ORGANIZATION)
            case "payments_ai":
                return self.payments_ai_list(size)
            case "monri":
                return self.monri_list(size)
        return self.alternative_list(ALTERNATIVE, size)

    def methods_of(self, api: str, facts: Facts) -> list[Rendered]:
        """The saved payment methods of a customer."""
        match api:
            case "native":
                target = f"/bridge-payment/payment-methods/customer/{facts.native_id}"
                return list(self.native("GET", target).json())
            case "payments_ai":
                return self.payments_ai_list(50, f"/{facts.short_id}/payment-instruments")
            case "monri":
                return self.monri_list(50, f"{MONRI}/{facts.uuid}/payment-methods")
        target = f"{ALTERNATIVE}/{facts.short_id}/payment-methods"
        return list(self.alternative("GET", target).json()["data"])

    def native_list(self, size: int, **query: str) -> list[Rendered]:
        """A list of the native API."""

        def page(offset: int) -> list[Rendered]:
            request = urlencode({"limit": size, "offset": offset} | query)
            return list(self.native("GET", f"{NATIVE}?{request}").json())

        return _paged(page, size)

    def payments_ai_list(self, size: int, path: str = "", **query: str) -> list[Rendered]:
        """A list of the payments.ai API. Its headers must be right on each page."""
        totals = set()

        def page(offset: int) -> list[Rendered]:
            request = urlencode({"limit": size, "offset": offset} | query)
            answer = self.payments_ai("GET", f"{PAYMENTS_AI}{path}?{request}")
            assert answer.header("Pagination-Limit") == str(size)
            assert answer.header("Pagination-Offset") == str(offset)
            totals.add(int(answer.header("Pagination-Total") or -1))
            return list(answer.json())

        found = _paged(page, size)
        assert totals == {len(found)}
        return found

    def monri_list(self, size: int, target: str = MONRI) -> list[Rendered]:
        """A list of the Monri API."""

        def page(offset: int) -> list[Rendered]:
            answer = self.monri("GET", f"{target}?limit={size}&offset={offset}")
            return list(answer.json()["data"])

        return _paged(page, size)

    def alternative_list(self, target: str, size: int, **query: str) -> list[Rendered]:
        """Read forward by `after` cursors, and back by `before` cursors: the same pages."""

        def page(**cursor: str) -> Any:
            request = urlencode({"limit": size} | query | cursor)
            return self.alternative("GET", f"{target}?{request}").json()

        pages = [page()]
        assert not pages[0]["has_previous_page"]
        while pages[-1]["has_next_page"]:
            pages.append(page(after=pages[-1]["end_cursor"]))
            assert pages[-1]["has_previous_page"]
        for newer, older in zip(reversed(pages[:-1]), reversed(pages[1:]), strict=True):
            assert page(before=older["start_cursor"]) == newer
        return [each for page in pages for each in page["data"]]


def _paged(page: Callable[[int], list[Rendered]], size: int) -> list[Rendered]:
    found: list[Rendered] = []
    while True:
        records = page(len(found))
        assert len(records) <= size
        found += records
        if len(records) < size:
            return found


def _json(body: object) -> bytes:
    if body is None or isinstance(body, bytes):
        return body or b""
    return json.dumps(body, ensure_ascii=False).encode()
