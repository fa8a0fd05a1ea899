"""The rewards as verl calls them: `compute_score`, once a completion, with the same keys for every one."""

if __package__:
    from . import columns
    from .scoring import load
else:
    # verl loads a file by its path; the rest of the package lies beside it.
    import importlib
    import sys
    from pathlib import Path

    _folder = Path(__file__).resolve().parent
    if str(_folder.parent) not in sys.path:
        sys.path.append(str(_folder.parent))
    columns = importlib.import_module(f"{_folder.name}.columns")
    load = importlib.import_module(f"{_folder.name}.scoring").load

#: Where in `extra_info` the prompt is looked for, unless `prompt_key` says.
PROMPT_KEYS = ("prompt", "question")


def compute_score(data_source=None, solution_str="", ground_truth=None, extra_info=None, prompt_key=None, on_fault="raise", **_):
    """The weighted sum as `score`, each member's own score by its name, and `acc`: 1.0 if the answer is right.

    `on_fault` is "raise", or the number that each member on which a completion fails is worth (never silently 0); `prompt_key` the key of
    `extra_info` that holds the prompt. Both are set by `+reward.custom_reward_function.reward_kwargs.…`.
    """
    if on_fault is None:
        raise ValueError('verl needs a number for every completion: on_fault must be "raise" or a number')
    export = load()
    if ground_truth is None:
        raise ValueError("verl passed no ground_truth: the data set's reward_model.ground_truth must hold the reference answer")
    answer = export.reference(ground_truth, "ground_truth")
    given = {**(extra_info or {}), "data_source": data_source, "ground_truth": ground_truth, "extra_info": extra_info}
    [row] = export.rows({name: [value] for name, value in given.items()}, 1)
    sample = export.sample(_prompt(export, extra_info or {}, prompt_key), solution_str, answer, row)
    policy = on_fault if on_fault == "raise" else float(on_fault)
    scores = {name: export.scores(name, [sample], policy) for name in export.rewards}
    [score] = export.total(scores)
    return {"score": score, "acc": float(sample.correct), **{name: value for name, [value] in scores.items()}}


def _prompt(export, extra_info, prompt_key):
    for key in PROMPT_KEYS if prompt_key is None else (prompt_key,):
        if extra_info.get(key) is not None:
            return columns.joined(extra_info[key])
    if prompt_key is None and not export.reads_prompt:
        return ""
    wanted = " or ".join(PROMPT_KEYS if prompt_key is None else (prompt_key,))
    raise ValueError(f"these rewards read the prompt, which verl does not pass: put it into the data's extra_info as {wanted}")
