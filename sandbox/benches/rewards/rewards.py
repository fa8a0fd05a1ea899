"""Twelve rewards for maths as people write them for TRL. Each has a twin in Rust, `NAME.regex.rs`, which must give the same
scores, and one with the SDK's scanners, `NAME.scan.rs`."""

import re


def format_tags(prompts, completions, answer, **kwargs):
    scores = []
    for completion in completions:
        score = 0.0
        for tag in ("<thinking>", "</thinking>", "<solution>", "</solution>"):
            score += 0.5 if completion.count(tag) == 1 else -1.0
        if re.search(r"^\s*<thinking>.+?</thinking>.*?<solution>.+?</solution>\s*$", completion, re.DOTALL):
            score += 3.0
        scores.append(score)
    return scores


def tag_counts(prompts, completions, answer, **kwargs):
    scores = []
    for completion in completions:
        score = 0.0
        for tag in ("<thinking>", "</thinking>", "<solution>"):
            if completion.count(tag) == 1:
                score += 0.125
        if completion.count("</solution>") == 1:
            score += 0.125 - 0.001 * len(completion.split("</solution>")[-1].strip())
        scores.append(score)
    return scores


def closeness(prompts, completions, answer, **kwargs):
    scores = []
    for completion, truth in zip(completions, answer):
        match = re.search(r"<solution>\s*\$?(-?[\d,]*\.?\d+)", completion)
        if match is None:
            scores.append(0.0)
            continue
        guess, truth = float(match.group(1).replace(",", "")), float(truth.replace(",", ""))
        error = abs(guess - truth) / max(abs(truth), 1.0)
        scores.append(3.0 if error == 0 else max(0.0, 1.0 - error))
    return scores


def final_answer(prompts, completions, answer, **kwargs):
    patterns = [
        r"####\s*\$?(-?[\d,]+(?:\.\d+)?)",
        r"\\boxed\{\s*\$?(-?[\d,]+(?:\.\d+)?)\s*\}",
        r"(?i)answer(?: is|:)\s*\$?(-?[\d,]+(?:\.\d+)?)",
        r"(?m)^A:\s*\$?(-?[\d,]+(?:\.\d+)?)",
        r"<solution>\s*\$?(-?[\d,]+(?:\.\d+)?)",
    ]
    scores = []
    for completion, truth in zip(completions, answer):
        score = 0.0
        for pattern in patterns:
            found = re.findall(pattern, completion)
            if found:
                digits = found[-1].replace(",", "")
                if digits not in ("", "-"):
                    score = 2.0 if float(digits) == float(truth.replace(",", "")) else 0.25
                break
        scores.append(score)
    return scores


def valid_steps(prompts, completions, answer, **kwargs):
    step = re.compile(r"(\d+(?:\.\d+)?)\s*([-+*/])\s*(\d+(?:\.\d+)?)\s*=\s*\$?(-?\d+(?:\.\d+)?)")
    scores = []
    for completion in completions:
        total = valid = 0
        for left, operator, right, result in step.findall(completion):
            a, b = float(left), float(right)
            if operator == "/" and b == 0:
                continue
            value = a + b if operator == "+" else a - b if operator == "-" else a * b if operator == "*" else a / b
            total += 1
            valid += abs(value - float(result)) < 1e-6
        scores.append(valid / total if total else 0.0)
    return scores


def annotations(prompts, completions, answer, **kwargs):
    scores = []
    for completion in completions:
        right = wrong = 0
        for left, operator, second, result in re.findall(
            r"<<(\d*\.?\d+)([-+*/])(\d*\.?\d+)=(-?\d*\.?\d+)>>", completion
        ):
            a, b = float(left), float(second)
            if operator == "/" and b == 0:
                wrong += 1
                continue
            value = {"+": a + b, "-": a - b, "*": a * b}[operator] if operator != "/" else a / b
            if abs(value - float(result)) < 0.01:
                right += 1
            else:
                wrong += 1
        scores.append(min(right, 4) * 0.25 - wrong * 0.5)
    return scores


def repetition(prompts, completions, answer, **kwargs):
    scores = []
    for completion in completions:
        words = re.findall(r"\w+", completion.lower())
        grams = [tuple(words[i : i + 3]) for i in range(len(words) - 2)]
        scores.append(1.0 - len(set(grams)) / len(grams) if grams else 0.0)
    return scores


def numbers_used(prompts, completions, answer, **kwargs):
    scores = []
    for prompt, completion, truth in zip(prompts, completions, answer):
        wanted = set(re.findall(r"\d+", prompt))
        found = re.findall(r"\d+", completion)
        share = len(wanted & set(found)) / len(wanted) if wanted else 0.0
        scores.append(share + (1.0 if found and found[-1] == truth else 0.0))
    return scores


def results_reused(prompts, completions, answer, **kwargs):
    scores = []
    for completion in completions:
        results = list(re.finditer(r"=\s*\$?(\d+)", completion))
        reused = 0
        for result in results[:-1]:
            later = re.findall(r"\d+", completion[result.end() :])
            reused += result.group(1) in later
        scores.append(reused / (len(results) - 1) if len(results) > 1 else 0.0)
    return scores


def step_markers(prompts, completions, answer, **kwargs):
    pattern = r"(Step \d+:|^\d+\.|\n-|\n\*|First,|Second,|Next,|Finally,)"
    return [min(1.0, len(re.findall(pattern, completion)) / 3) for completion in completions]


def reasoning_words(prompts, completions, answer, **kwargs):
    scores = []
    for completion in completions:
        found = re.findall(r"\b(so|because|therefore|thus|hence|since|then|total)\b", completion, re.IGNORECASE)
        distinct = len({word.lower() for word in found})
        scores.append(0.1 * min(distinct, 5) - 0.02 * max(0, len(found) - 12))
    return scores


def sentence_length(prompts, completions, answer, **kwargs):
    scores = []
    for completion in completions:
        sentences = [part.strip() for part in re.split(r"[.!?\n]+(?:\s|$)", completion)]
        lengths = [len(sentence.split()) for sentence in sentences if sentence]
        if not lengths:
            scores.append(0.0)
            continue
        mean = sum(lengths) / len(lengths)
        scores.append(1.0 if 4 <= mean <= 25 else max(0.0, 1.0 - abs(mean - 14) / 30))
    return scores
