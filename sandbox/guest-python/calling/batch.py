"""A batch of completions as a reward gets it: column by column, with the data set's own columns by their names."""

import json

from . import shapes


def columns(batch, count=None):
    """The columns of a batch, or of its first so many samples. `rows` are the data set's own, a JSON object a sample or nothing at all."""
    prompts, completions, answer = batch.prompts[:count], batch.completions[:count], batch.answer[:count]
    if batch.conversational:
        prompts = [[{"role": "user", "content": text}] for text in prompts]
        completions = [[{"role": "assistant", "content": text}] for text in completions]
    rows = [json.loads(row) for row in batch.rows[:count]]
    names = list(dict.fromkeys(name for row in rows for name in row))
    own = {name: [row.get(name) for row in rows] for name in names}
    if "answer" in own and answer:
        # A row without columns has its answer all the same.
        own["answer"] = [row.get("answer", known) for row, known in zip(rows, answer)]
    answers = next((own[name] for name in shapes.ANSWERS if name in own), answer)
    return {
        "prompts": prompts,
        "completions": completions,
        "answer": answers,
        "correct": [flag == 1 for flag in batch.correct[:count]],
        "extracted": batch.extracted[:count],
        "rows": own,
    }
