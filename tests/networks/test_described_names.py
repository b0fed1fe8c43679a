"""What a description does not know of is seen, also where it forgot to forbid it."""

from __future__ import annotations

import pytest
from described_names import Schema, undescribed

PIECES: dict[str, Schema] = {
    "Poll": {"properties": {"options": {"type": "array", "items": {"properties": {"title": {}}}}}},
    "Text": {"properties": {"status": {"type": "string"}}},
    "Whole": {"allOf": [{"$ref": "Text"}], "properties": {"poll": {"$ref": "Poll"}, "meta": {"type": "object"}}},
}


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ({"status": "a", "poll": {"options": [{"title": "b"}]}, "meta": {"anything": 1}}, []),
        ({"status": "a", "sttaus": "a"}, ["it: no field sttaus"]),
        ({"poll": {"options": [{"titel": "b"}]}}, ["it.poll.options[]: no field titel"]),
    ],
)
def test_a_name_that_nobody_described_is_told(body: object, problems: list[str]) -> None:
    def found(schema: Schema) -> Schema:
        return PIECES[schema["$ref"]] if "$ref" in schema else schema

    assert list(undescribed(body, {"$ref": "Whole"}, found=found, where="it")) == problems
