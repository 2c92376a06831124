"""The body of a request to add a contact. Source: docs/api/alternative.md, section 6."""

import pytest
from pydantic import ValidationError

from bridge.bodies.contact import NewCustomerUser

FIELDS = ("email", "first_name", "last_name", "job_title", "phone")


def test_a_new_contact_may_lack_every_field() -> None:
    new = NewCustomerUser.model_validate({"more": 1})
    assert new.model_dump() == dict.fromkeys(FIELDS)
    assert new.model_fields_set == set()


@pytest.mark.parametrize("name", FIELDS)
def test_a_contacts_fields_are_texts_that_stay_as_they_are(name: str) -> None:
    assert NewCustomerUser.model_validate({name: " a "}).model_dump()[name] == " a "
    with pytest.raises(ValidationError):
        NewCustomerUser.model_validate({name: 5})
