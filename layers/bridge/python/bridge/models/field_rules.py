"""What is true of a field of a stored record, declared once: at the field.

`Annotated[str | None, FieldRule(...)]` is the declaration. What may be changed, what is erased,
what makes a timeline entry and what is shown are derived from it.
Source: docs/data-model.md, section 2.
"""

from functools import cache
from typing import Literal, get_type_hints

from msgspec import Struct

SetBy = Literal["client", "other_api", "provider", "bridge"]
Changes = Literal["never", "any_time", "before_charge"]
SeenBy = Literal["caller", "other_api", "owner", "operator", "nobody"]


class FieldRule(Struct, frozen=True):
    """Who sets a field, when it changes, and who sees it.

    `set_by`: the client in a request of the native API, a client of one of the other APIs alone,
    the provider by its state, or we.

    `changes`: when a client may change it. `never`: a client may only repeat the stored value.
    `any_time`: also after a charge; of a payment no provider is asked. `before_charge`: under the
    lock, and only as long as nothing was charged. None: no request contains it.

    `body_name`: its name in requests, if that is another one. `at_provider`: the provider stores it
    too, so an update sends it. `is_personal`: it may contain what a person wrote; it is erased with
    the customer's data and never shown to operators. `is_secret`: it is an item of its own in the
    table `secrets`, so no row and no stored response has it. `is_fact`: a change of it makes an
    entry of the timeline.

    `seen_by`: who sees the field as it is. `caller`: everybody who may see the record by the native
    API. `other_api`: only callers of the other APIs. `owner`: only its owner or its guest.
    `operator`: only who operates the stack. `nobody`: it never leaves the store. An API adapter may
    compute a field of its own from one that it does not show: `failure_code` from `failure`.
    """

    set_by: SetBy
    seen_by: SeenBy
    changes: Changes | None = None
    body_name: str | None = None
    at_provider: bool = False
    is_personal: bool = False
    is_secret: bool = False
    is_fact: bool = False


# The rules that several records share.
OURS = FieldRule(set_by="bridge", seen_by="operator")
VISIBLE = FieldRule(set_by="bridge", seen_by="caller")
MADE = FieldRule(set_by="bridge", seen_by="caller", changes="never")
PROVIDERS = FieldRule(set_by="provider", seen_by="caller")
FIXED = FieldRule(set_by="client", seen_by="caller", changes="never")
OWN = FieldRule(set_by="client", seen_by="caller", changes="any_time")
TEXT = FieldRule(set_by="client", seen_by="caller", changes="any_time", is_personal=True)


@cache
def rules_of(model: type) -> dict[str, FieldRule]:
    """The rule of each field, in the order of the fields.

    Raises TypeError that names the field that does not have exactly one rule.
    """
    rules = {}
    for name, annotation in get_type_hints(model, include_extras=True).items():
        found = [
            each for each in getattr(annotation, "__metadata__", ()) if isinstance(each, FieldRule)
        ]
        if len(found) != 1:
            raise TypeError(f"{model.__name__}.{name} needs one FieldRule")
        rules[name] = found[0]
    return rules


def fields_with(model: type, **values: object) -> tuple[str, ...]:
    """The names of the fields whose rule has these values: `fields_with(Payment, is_fact=True)`."""
    return tuple(
        name
        for name, rule in rules_of(model).items()
        if all(getattr(rule, attribute) == value for attribute, value in values.items())
    )


def immutable(model: type) -> dict[str, str]:
    """The fields that a request may only repeat: their names in requests, and ours."""
    rules = rules_of(model)
    return {rules[name].body_name or name: name for name in fields_with(model, changes="never")}
