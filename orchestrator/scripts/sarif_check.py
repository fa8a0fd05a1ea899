"""The SARIF of `probe` against the standard's schema: `sarif_check.py PROGRAM SCHEMA`, with jsonschema (sarif_check_requirements.txt).

SCHEMA is sarif-schema-2.1.0.json of the OASIS (https://github.com/oasis-tcs/sarif-spec, sarif-2.1/schema). Rewards with every kind of finding, refused ones
and known findings among them, in files whose names are no URIs as they are.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

AUDITED = pathlib.Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "audited"
RUST = 'pub fn reward(sample: &Sample) -> f64 { f64::from(u8::from(sample.completion().contains(sample.answer()))) }'


def main():
    program, schema = pathlib.Path(sys.argv[1]).resolve(), json.loads(pathlib.Path(sys.argv[2]).read_text())
    validator = jsonschema.Draft4Validator(schema, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "a reward, 100%.rs").write_text(RUST)
        (folder / "größe").mkdir()
        (folder / "größe" / "nineteen.py").write_text((AUDITED / "nineteen.py").read_text())
        rewards = ["a reward, 100%.rs", "größe/nineteen.py", "größe/nineteen.py::substring"]

        def log(*more):
            done = subprocess.run([program, "probe", *rewards, "--format", "sarif", *more], cwd=folder, capture_output=True, text=True, check=True)
            return json.loads(done.stdout)

        wrong = 0
        for one in (log("--write-baseline", "known.json"), log("--baseline", "known.json")):
            results = one["runs"][0]["results"]
            errors = list(validator.iter_errors(one))
            wrong += len(errors)
            for error in errors[:5]:
                print("/".join(map(str, error.absolute_path)), error.message)
            states = sorted({result["baselineState"] for result in results})
            rules = sorted({result["ruleId"] for result in results})
            uris = sorted({result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results})
            print(f"{len(results)} results, {len(errors)} errors; {', '.join(states)}; rules {', '.join(rules)}; {', '.join(uris)}")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
