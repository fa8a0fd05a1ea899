"""The columns a trainer hands to a reward function, as a scoring process takes them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
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


def reference(value: Any, column: str) -> str:
    """A reference answer as the program's verifier reads it: of GSM8K's worked answers the final one, of numbers their digits. Raises
    `TypeError` for what only rewards can understand."""
    value = plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        value = int(value) if value.is_integer() else format(Decimal(repr(value)), "f")
    if not isinstance(value, (str, int)):
        raise TypeError(f"the column `{column}` must hold strings or numbers (or None, where a row has no answer), not {type(value).__name__}")
    text = str(value)
    # The data set's own mark stands before the final answer.
    return _LONE_SURROGATE.sub("\ufffd", text.rpartition("####")[2].strip() if "####" in text else text)


def answers(columns: Mapping[str, Any], name: str | None, count: int) -> tuple[str, list[Any]]:
    """The column of reference answers with its name: the one named, or the first of `ANSWERS` that is there."""
    for wanted in ANSWERS if name is None else (name,):
        column = columns.get(wanted)
        if column is not None:
            if isinstance(column, (str, Mapping)) or not hasattr(column, "__len__"):
                column = [column] * count
            return wanted, list(column)
    there = ", ".join(sorted(columns)) or "none"
    wanted = f"`{name}`" if name is not None else "the names " + ", ".join(ANSWERS)
    raise ValueError(
        f"no column of reference answers: looked for {wanted}, there is {there}. Name it with answer_column=, or say answer_column=\"\" if the rewards read no answer"
    )


def check(completions: Any, columns: Mapping[str, Any]) -> None:
    """Refuses completions that are no list, and columns, by name, with another number of rows than there are completions."""
    if isinstance(completions, (str, Mapping)):
        raise TypeError("completions must be a list: one text, or one list of messages, a completion")
    for name, column in columns.items():
        if column is not None and len(column) != len(completions):
            raise ValueError(f"{len(completions)} completions and {len(column)} in the column `{name}`")


def known_as(name: str, wanted: str | None) -> str:
    """The name under which rewards find the column of reference answers: its own if it is a usual one, and nobody asked for another."""
    return name if wanted is None and name != "answers" else "answer"


def plain(value: Any) -> Any:
    """A value as JSON has it: arrays as lists, what is no number as None. Raises `TypeError` for what is no data."""
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    raise TypeError(f"{type(value).__name__} is no data that JSON has")


def rows(columns: Mapping[str, Any], count: int, unread: Collection[str] = ()) -> list[dict[str, Any]]:
    """The data set's columns row by row: of what a trainer passes, the lists of one value a row that are data, but for the `unread`."""
    found: list[dict[str, Any]] = [{} for _ in range(count)]
    for name, column in columns.items():
        if name in unread or isinstance(column, (str, Mapping)) or not hasattr(column, "__len__") or len(column) != count:
            continue
        try:
            values = [plain(value) for value in column]
        except TypeError:
            continue
        for row, value in zip(found, values):
            row[name] = value
    return found


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
