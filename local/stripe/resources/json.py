"""The type of a rendered resource: a JSON object."""

Json = dict[str, object]
