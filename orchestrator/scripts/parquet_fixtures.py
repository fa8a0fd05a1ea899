"""Writes the parquet files of tests/fixtures/tasks as the libraries write them that trainers use: `parquet_fixtures.py FOLDER`, with pandas and pyarrow
(parquet_fixtures_requirements.txt).

verl.parquet: a data set as verl's preprocessing makes it, with conversations and structures, by snappy. completions.parquet: the completions that TRL
logs, by gzip. zstd.parquet: what is not read.
"""

import pathlib
import sys

import pandas


def question(number):
    return number + 3, 2 * number + 1


def main():
    folder = pathlib.Path(sys.argv[1])
    rows = []
    for number in range(60):
        one, other = question(number)
        rows.append(
            {
                "data_source": "sums",
                "prompt": [{"role": "user", "content": f"What is {one} + {other} ?"}],
                "ability": "math",
                "reward_model": {"style": "rule", "ground_truth": str(one + other)},
                "extra_info": {"index": number, "terms": [one, other], "split": "train"},
                "weight": number / 4 if number % 3 else None,
            }
        )
    pandas.DataFrame(rows).to_parquet(folder / "verl.parquet", compression="snappy")
    logged = []
    for step in (1, 2):
        for number in (4, 7):
            one, other = question(number)
            for answer in (one + other, one - other):
                logged.append(
                    {
                        "step": step,
                        "prompt": f"What is {one} + {other} ?",
                        "completion": f"<solution> {answer} </solution>",
                        "answer": str(one + other),
                        "score": float(answer == one + other),
                        "advantage": 1.0 if answer == one + other else -1.0,
                    }
                )
    table = pandas.DataFrame(logged)
    table.to_parquet(folder / "completions.parquet", compression="gzip")
    table.to_parquet(folder / "zstd.parquet", compression="zstd")


if __name__ == "__main__":
    main()
