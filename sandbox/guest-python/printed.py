"""Where print() goes in the sandbox: a text of bounded length that the host stores."""

LIMIT = 8192
CUT = "\n[more was printed]"


class Printed:
    """A text stream that keeps the beginning."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self):
        self._parts = []
        self._room = LIMIT

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._room >= 0:
            self._parts.append(text[: self._room])
            self._room -= len(text)
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        pass

    def isatty(self):
        return False

    def text(self):
        """What was printed, fit for the host: no lone surrogates."""
        text = "".join(self._parts) + (CUT if self._room < 0 else "")
        return text.encode("utf-8", "replace").decode("utf-8")
