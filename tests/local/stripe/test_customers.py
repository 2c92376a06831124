"""Customers and their saved payment methods."""

import pytest

INTENTS = "/v1/payment_intents"


def error(response, status=400):
    assert response.status_code == status, response.text
    return response.json()["error"]


class TestMethodsAndCustomers:
    def test_confirm_with_method_of_other_customer_returns_400(self, http):
        owner, other = http.customer(), http.customer()
        saved = http.saved(owner)
        for fields in ({"customer": other}, {}):
            intent = http.intent(**fields)["id"]
            assert error(http.confirm(intent, saved))["param"] == "payment_method"
        form = {"amount": "2000", "currency": "usd", "payment_method": saved}
        assert error(http.post(INTENTS, form))["param"] == "payment_method"

    @pytest.mark.parametrize("alias", ["pm_card_visa", "pm_card_chargeCustomerFail"])
    def test_method_used_without_customer_cannot_be_used_again(self, http, alias):
        intent = http.intent(payment_method=alias)
        http.confirm(intent["id"])
        again = http.intent()["id"]
        assert (
            "may not be used again"
            in error(http.confirm(again, intent["payment_method"]))["message"]
        )
        path = f"/v1/payment_methods/{intent['payment_method']}/attach"
        assert error(http.post(path, {"customer": http.customer()}))["param"] == "payment_method"

    def test_saved_method_pays_several_times(self, http, simulator):
        customer = http.customer()
        saved = http.saved(customer)
        for _ in range(3):
            intent = http.intent(customer=customer)["id"]
            assert http.confirm(intent, saved).json()["status"] == "succeeded"
        assert len(simulator.charges()) == 3

    def test_setup_future_usage_saves_the_method_only_on_success(self, http):
        customer = http.customer()
        fields = {"customer": customer, "setup_future_usage": "on_session"}
        http.confirm(http.intent(**fields)["id"], "pm_card_chargeCustomerFail")
        http.confirm(http.intent(customer=customer)["id"], "pm_card_visa")
        listing = f"/v1/customers/{customer}/payment_methods"
        assert http.get(listing).json()["data"] == []
        paid = http.confirm(http.intent(**fields)["id"], "pm_card_visa").json()
        assert [each["id"] for each in http.get(listing).json()["data"]] == [paid["payment_method"]]

    def test_method_set_up_without_customer_can_still_be_attached(self, http):
        intent = http.intent(setup_future_usage="off_session")["id"]
        method = http.confirm(intent, "pm_card_visa").json()["payment_method"]
        assert error(http.confirm(http.intent()["id"], method))
        assert http.saved(http.customer(), method) == method

    def test_declined_method_with_setup_future_usage_cannot_be_attached(self, http):
        intent = http.intent(
            setup_future_usage="off_session", payment_method="pm_card_chargeCustomerFail"
        )
        assert http.confirm(intent["id"]).status_code == 402
        path = f"/v1/payment_methods/{intent['payment_method']}/attach"
        assert error(http.post(path, {"customer": http.customer()}))

    def test_method_in_authentication_cannot_confirm_other_intent(self, http):
        intent = http.intent(payment_method="pm_card_authenticationRequired")
        assert http.confirm(intent["id"]).json()["status"] == "requires_action"
        assert error(http.confirm(http.intent()["id"], intent["payment_method"]))
        again = http.confirm(intent["id"], intent["payment_method"]).json()
        assert again["status"] == "requires_action"

    def test_detached_method_cannot_be_used_again(self, http):
        customer = http.customer()
        saved = http.saved(customer)
        assert http.post(f"/v1/payment_methods/{saved}/detach").json()["customer"] is None
        assert error(http.confirm(http.intent()["id"], saved))
        assert error(http.post(f"/v1/payment_methods/{saved}/attach", {"customer": customer}))
        assert "not attached" in error(http.post(f"/v1/payment_methods/{saved}/detach"))["message"]

    def test_attach_again_succeeds_and_to_other_customer_returns_400(self, http):
        customer = http.customer()
        saved = http.saved(customer)
        assert http.saved(customer, saved) == saved
        form = {"customer": http.customer()}
        assert error(http.post(f"/v1/payment_methods/{saved}/attach", form))

    def test_delete_customer_detaches_every_card(self, http):
        customer = http.customer()
        saved = http.saved(customer)
        deleted = http.send("DELETE", f"/v1/customers/{customer}").json()
        assert deleted == {"id": customer, "object": "customer", "deleted": True}
        assert http.get(f"/v1/customers/{customer}").json() == deleted
        assert http.get(f"/v1/payment_methods/{saved}").json()["customer"] is None
        again = error(http.send("DELETE", f"/v1/customers/{customer}"), 404)
        assert again["code"] == "resource_missing"
        assert error(http.post(f"/v1/customers/{customer}", {"name": "x"}), 404)
        form = {"amount": "2000", "currency": "usd", "customer": customer}
        assert error(http.post(INTENTS, form))["code"] == "resource_missing"

    def test_default_method_must_belong_to_the_customer(self, http):
        customer = http.customer()
        saved, name = http.saved(customer), "invoice_settings[default_payment_method]"
        path = f"/v1/customers/{customer}"
        invoice_settings = http.post(path, {name: saved}).json()["invoice_settings"]
        assert invoice_settings["default_payment_method"] == saved
        assert error(http.post(path, {name: http.saved(http.customer())}))["param"] == name

    def test_update_customer_changes_only_what_is_sent(self, http):
        customer = http.customer(email="a@b.test", name="Ann", **{"metadata[a]": "1"})
        path = f"/v1/customers/{customer}"
        updated = http.post(path, {"phone": "+1", "name": "", "metadata[b]": "2"}).json()
        assert (updated["email"], updated["name"], updated["phone"]) == ("a@b.test", None, "+1")
        assert updated["metadata"] == {"a": "1", "b": "2"}
        assert error(http.post(path, {"name": "Bo", "email": "none"}))
        assert http.get(path).json()["name"] is None
