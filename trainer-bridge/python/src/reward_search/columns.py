"""The columns a trainer hands to a reward function, as a scoring process takes them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

#: Names of the column of reference answers, the first one first.
ANSWERS = ("answer", "answers", "solution", "ground_truth", "target", "label")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def text(value: Any) -> str | list[dict[str, str]]:
    """A prompt or completion: a string as it is, or a conversation reduced to roles and texts."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, Sequence):
        raise TypeError(f"a prompt or completion must be a string or a list of messages, not {type(value).__name__}")
    messages = []
    for message in value:
        if not isinstance(message, Mapping):
            raise TypeError(f"a message must be a dict with `role` and `content`, not {type(message).__name__}")
        messages.append({"role": str(message.get("role", "")), "content": _content(message.get("content"))})
    return messages


def _content(content: Any) -> str:
    """The text of a message; of several parts those that are text."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "".join(part if isinstance(part, str) else str(part.get("text") or "") for part in content)


def answer(value: Any, column: str) -> str | int | float:
    """A reference answer: a string or a number."""
    if hasattr(value, "item") and not isinstance(value, (str, int, float)):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise TypeError(f"the column `{column}` must hold strings or numbers (or None, where a row has no answer), not {type(value).__name__}")
    # GSM8K's worked answers, as they come: the data set's own mark stands before the final one.
    if isinstance(value, str) and "####" in value:
        return value.rpartition("####")[2].strip()
    return value


def answers(columns: Mapping[str, Any], name: str | None, count: int) -> tuple[str, list[Any]]:
    """The column of reference answers with its name: the one named, or the first of `ANSWERS` that is there."""
    for wanted in ANSWERS if name is None else (name,):
        column = columns.get(wanted)
        if column is not None:
            if isinstance(column, str) or not isinstance(column, Sequence) and not hasattr(column, "__len__"):
                column = [column] * count
            return wanted, list(column)
    there = ", ".join(sorted(columns)) or "none"
    wanted = f"`{name}`" if name is not None else "the names " + ", ".join(ANSWERS)
    raise ValueError(
        f"no column of reference answers: looked for {wanted}, there is {there}. Name it with answer_column=, or say answer_column=\"\" if the rewards read no answer"
    )


def line(request: Mapping[str, Any]) -> bytes:
    """A request as a line; what is no Unicode becomes U+FFFD."""
    written = json.dumps(request, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return written.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub("\ufffd", written).encode()


def joined(value: Any) -> str:
    """A prompt or completion as one text: of a conversation the contents, joined by line ends, as the program does. What is no Unicode
    becomes U+FFFD."""
    plain = text(value)
    if not isinstance(plain, str):
        whole = ""
        for message in plain:
            whole = f"{whole}\n{message['content']}" if whole else message["content"]
        plain = whole
    return _LONE_SURROGATE.sub("\ufffd", plain)


def written(value: str | int | float) -> str:
    """A reference answer as a text, as the program writes it."""
    if isinstance(value, float):
        value = int(value) if value.is_integer() else format(Decimal(repr(value)), "f")
    return _LONE_SURROGATE.sub("\ufffd", str(value))
