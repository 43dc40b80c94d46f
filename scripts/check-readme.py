#!/usr/bin/env python3
"""Runs the commands that README.md shows, and looks whether they still print what it shows.

A block

    ```console
    $ build/dorsalgia assess examples/some.json
    a line that must be printed
    ...
    a later line that must be printed
    ```

is run from the top of the repository; its lines must come in this order, and `...` stands for lines left out. `--write` renews
them: of lines that stand together the first is looked for in what is printed now, and the rest replaced by what follows it.
Blocks of `sh` are installation steps; `make run` and `make test` themselves try them.

A block of `yaml` that begins with `# knowledge/...` is a worked example: all of them together are put into a copy of the
knowledge base, which must then be free of faults and answer for a person.
"""
import difflib
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILES = ["README.md", "CONTRIBUTING.md"]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
EXAMPLE = re.compile(r"^```yaml\n# (knowledge/\S+)\n(.*?)^```$", re.M | re.S)


def run(command):
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=600)
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


def renewed(shown, printed):
    """The shown lines as they are printed now; a run of lines is found again by the first one."""
    out, at = [], None
    for line in shown:
        if line.strip() == "...":
            at = None
        elif at is None:
            at = next((i for i, p in enumerate(printed) if p == line.rstrip()), None)
            if at is None:
                raise SystemExit(f"no line to begin from: {line!r}")
        else:
            at += 1
            line = printed[at]
        out.append(line)
    return out


def write():
    for name in FILES:
        file = ROOT / name
        text = file.read_text(encoding="utf-8")
        for block in BLOCK.findall(text):
            new = ""
            for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
                command, *shown = part.rstrip("\n").split("\n")
                new += "\n".join([f"$ {command}", *renewed(shown, run(command)[1])]) + "\n"
            text = text.replace(block, new)
        file.write_text(text, encoding="utf-8")


def worked_examples():
    """How many files the examples are, and what is wrong with them."""
    faults, count = [], 0
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "knowledge", pathlib.Path(folder) / "knowledge")
        for name in FILES:
            for path, text in EXAMPLE.findall((ROOT / name).read_text(encoding="utf-8")):
                file = pathlib.Path(folder) / path
                if file.exists():
                    faults.append(f"{name}: the example {path} is now a file of its own; choose another")
                file.write_text(text, encoding="utf-8")
                count += 1
        program = f"build/dorsalgia --knowledge {folder}/knowledge"
        for command in (f"build/dorsalgia knowledge check {folder}/knowledge",
                        f"echo '{{\"age\": 50, \"sex\": \"male\"}}' | {program} assess --json -"):
            code, printed, errors = run(command)
            if code != 0:
                faults.append(f"the worked examples: `{command}` ended with {code}:\n" + "\n".join(printed) + errors)
    return count, faults


def main():
    examples, faults = worked_examples()
    commands = 0
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
    if not commands or not examples:
        print("no command or no example was found")
        return 1
    print(f"{commands} commands and {examples} worked examples in {' and '.join(FILES)}, {len(faults)} at fault")
    return 1 if faults else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    sys.exit(main())
