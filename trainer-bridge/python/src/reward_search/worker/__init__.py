"""The worker: one GRPO run by TRL in a process of its own, told what to do and telling what happens in lines of JSON.

`python -m reward_search.worker` is started by the program `reward-search` for `trainer.kind = "trl"`; docs/trl.md has the lines.
"""
