"""Runs a command as on a kernel without landlock: its three system calls answer ENOSYS. `without_landlock.py COMMAND...`; Linux on x86-64 and arm64.

The filter is seccomp's, by way of the C library, so that no test needs unsafe code."""

import ctypes
import os
import struct
import sys

NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2
ENOSYS = 38
LOAD_NUMBER, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
PROGRAM = [
    (LOAD_NUMBER, 0, 0, 0),
    (JUMP_IF_EQUAL, 2, 0, 444),
    (JUMP_IF_EQUAL, 1, 0, 445),
    (JUMP_IF_EQUAL, 0, 1, 446),
    (RETURN, 0, 0, 0x00050000 | ENOSYS),
    (RETURN, 0, 0, 0x7FFF0000),
]


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_void_p)]


library = ctypes.CDLL(None, use_errno=True)
code = b"".join(struct.pack("HBBI", *step) for step in PROGRAM)
buffer = ctypes.create_string_buffer(code, len(code))
program = Filter(len(PROGRAM), ctypes.cast(buffer, ctypes.c_void_p))
assert library.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
assert library.prctl(SECCOMP, FILTER, ctypes.byref(program)) == 0
os.execvp(sys.argv[1], sys.argv[1:])
