"""What `import logging` finds in the sandbox: messages are printed. The real module wants a clock and threads."""

import sys

NOTSET, DEBUG, INFO, WARNING, ERROR, CRITICAL = range(0, 60, 10)
WARN, FATAL = WARNING, CRITICAL
NAMES = {DEBUG: "DEBUG", INFO: "INFO", WARNING: "WARNING", ERROR: "ERROR", CRITICAL: "CRITICAL"}
NUMBERS = {name: level for level, name in NAMES.items()}


class Logger:
    """Prints what is at least as grave as its level, or as that of the root."""

    def __init__(self, name, level=NOTSET):
        self.name, self.level = name, level
        self.handlers, self.propagate, self.disabled = [], True, False

    def setLevel(self, level):
        self.level = NUMBERS.get(level, level)

    def getEffectiveLevel(self):
        return self.level or root.level

    def isEnabledFor(self, level):
        return not self.disabled and level >= self.getEffectiveLevel()

    def log(self, level, message, *values, **_):
        if self.isEnabledFor(level):
            values = values[0] if len(values) == 1 and isinstance(values[0], dict) else values
            shown = str(message) % values if values else message
            sys.stdout.write(f"{NAMES.get(level, level)}:{self.name}:{shown}\n")

    def debug(self, message, *values, **_):
        self.log(DEBUG, message, *values)

    def info(self, message, *values, **_):
        self.log(INFO, message, *values)

    def warning(self, message, *values, **_):
        self.log(WARNING, message, *values)

    def error(self, message, *values, **_):
        self.log(ERROR, message, *values)

    def critical(self, message, *values, **_):
        self.log(CRITICAL, message, *values)

    warn, exception = warning, error

    def addHandler(self, _):
        pass


root = Logger("root", WARNING)
loggers = {}


def getLogger(name=None):
    return loggers.setdefault(name, Logger(name)) if name else root


def basicConfig(level=None, **_):
    if level is not None:
        root.setLevel(level)


class NullHandler:
    """Accepted by `addHandler`."""


debug, info, warning, error, critical = root.debug, root.info, root.warning, root.error, root.critical
log, exception = root.log, root.exception
