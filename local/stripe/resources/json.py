"""The JSON object that every resource renders itself to."""

Json = dict[str, object]
