#!/usr/bin/env python3
"""Runs the commands that README.md shows, and looks whether they still print what it shows.

A block

    ```console
    $ build/dorsalgia assess examples/some.json
    a line that must be printed
    ...
    a later line that must be printed
    ```

is run from the top of the repository; its lines must come in this order, and `...` stands for lines left out.
Blocks of `sh` are installation steps; `make run` and `make test` themselves try them.
"""
import difflib
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILES = ["README.md", "CONTRIBUTING.md"]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)


def run(command):
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=120)
    return done.returncode, [line.rstrip() for line in done.stdout.splitlines()], done.stderr


def first_missing(shown, printed):
    """The first shown line that is not printed after the lines before it."""
    at = 0
    for line in shown:
        if line.strip() == "...":
            continue
        try:
            at = printed.index(line.rstrip(), at) + 1
        except ValueError:
            return line
    return None


def main():
    faults, commands = [], 0
    for name in FILES:
        for block in BLOCK.findall((ROOT / name).read_text(encoding="utf-8")):
            for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
                command, *shown = part.rstrip("\n").split("\n")
                commands += 1
                code, printed, errors = run(command)
                if code != 0:
                    faults.append(f"{name}: `{command}` ended with {code}: {errors.strip()}")
                    continue
                missing = first_missing(shown, printed)
                if missing is not None:
                    near = difflib.get_close_matches(missing, printed, n=1, cutoff=0.3)
                    faults.append(f"{name}: `{command}` no longer prints\n  {missing}" + (f"\nbut perhaps\n  {near[0]}" if near else ""))
    for fault in faults:
        print(fault)
    if not commands:
        faults.append("no command was found")
    print(f"{commands} commands shown in {' and '.join(FILES)}, {len(faults)} at fault")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
