"""What the author of a reward has to change."""

LONGEST_MESSAGE = 4000


class Refused(Exception):
    """Something the author has to change."""

    def __init__(self, kind, message, line=None, index=None, found=None):
        super().__init__(message)
        self.kind, self.message, self.line, self.index, self.found = kind, text(message), line, index, found


def text(value):
    """A text that is short and has no lone surrogates."""
    value = str.__str__(value)
    if len(value) > LONGEST_MESSAGE:
        value = value[: LONGEST_MESSAGE // 4] + " [cut]"
    return value.encode("utf-8", "replace").decode("utf-8")
