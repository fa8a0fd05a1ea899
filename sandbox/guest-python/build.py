"""Builds the guest: componentize-py on guest.py, with the entropy of this process switched off.

CPython draws its hash seed while the interpreter's memory image is made, and componentize-py passes no PYTHONHASHSEED on. The
seed decides the order of sets and the values of hash(), and so scores. Here it comes from getrandom() of a process that does
nothing else; there getrandom() is made to return constant bytes, and images from all machines have the same seed.

usage: build.py OUTPUT, in the folder of guest.py; prints `seed: fixed` or `seed: drawn`.
"""

import ctypes
import mmap
import platform
import sys

from componentize_py import script

# mov rcx, rsi; mov rdx, rsi; mov al, 42; rep stosb; mov rax, rdx; ret: fills the buffer (rdi, of rsi bytes) and returns its size.
CONSTANT_ON_X86_64 = bytes.fromhex("4889f1 4889f2 b02a f3aa 4889d0 c3")
READ_WRITE_EXECUTE = 7


def fix_seed():
    """Whether getrandom() could be replaced in this process."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return False
    system = ctypes.CDLL(None, use_errno=True)
    address = ctypes.cast(system.getrandom, ctypes.c_void_p).value
    page = address & ~(mmap.PAGESIZE - 1)
    if system.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(2 * mmap.PAGESIZE), READ_WRITE_EXECUTE) != 0:
        return False
    ctypes.memmove(address, CONSTANT_ON_X86_64, len(CONSTANT_ON_X86_64))
    return True


if __name__ == "__main__":
    print("seed:", "fixed" if fix_seed() else "drawn")
    sys.argv = ["componentize-py", "-q", "-d", "wit", "-w", "reward", "componentize", "-s", "guest", "-o", sys.argv[1]]
    script()
