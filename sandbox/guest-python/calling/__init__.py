"""How a reward in Python is found in its file, checked, run and called.

The sandbox's guest does it with these modules, and so does an exported reward that runs as plain Python: there is one calling convention.
Nothing here protects anybody from a reward, and nothing here touches the modules of whoever imports it.
"""
