"""`python -m reward_search …` is `reward-search …`."""

import os
import sys

from .program import find_program

program = find_program()
os.execv(program, [program, *sys.argv[1:]])
