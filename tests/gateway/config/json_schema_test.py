"""The JSON Schema is well-formed, refuses the wrong configurations that it can see, and accepts the right ones."""

import json
import pathlib
import subprocess
import sys

try:
    import jsonschema
    import yaml
except ImportError as error:
    print("skipped:", error)
    sys.exit(77)

HERE = pathlib.Path(__file__).parent


def cases(file):
    for case in (HERE / file).read_text(encoding="utf-8").split("=== ")[1:]:
        title, rest = case.split("\n", 1)
        yield title, yaml.safe_load(rest.split(">>>\n", 1)[0])


def wrong_cases():
    """Those marked [schema]; the others break rules that are not about shape, and some are not even YAML."""
    for case in (HERE / "wrong.txt").read_text(encoding="utf-8").split("=== ")[1:]:
        title, rest = case.split("\n", 1)
        if title.endswith("[schema]"):
            yield title, yaml.safe_load(rest.split(">>>\n", 1)[0])


def main():
    schema = json.loads(subprocess.run([sys.argv[1]], check=True, capture_output=True).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failures = [f"accepted: {title}" for title, value in wrong_cases() if validator.is_valid(value)]
    for title, value in cases("right.txt"):
        failures += [f"refused: {title}: {error.json_path}: {error.message}" for error in validator.iter_errors(value)]
    print("\n".join(failures) or f"{len(list(wrong_cases()))} refused, {len(list(cases('right.txt')))} accepted")
    return 1 if failures else 0


sys.exit(main())
