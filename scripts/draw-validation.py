#!/usr/bin/env python3
"""draw-validation.py [check]: draws by lot which of the usable studies validate and which calibrate, and writes it into them.

The lot is the SHA-256 sum of the study's id (two files on one study, ID and ID_history, share a lot), so it can be repeated
by anybody and nobody chose. The first two in five of the sorted list validate. `check` only says whether the files agree.
"""
import hashlib
import pathlib
import re
import sys

folder = pathlib.Path(__file__).resolve().parent.parent / "knowledge" / "studies"
use = re.compile(r"^use: (calibration|validation)$", re.M)
files = {f: f.read_text() for f in sorted(folder.glob("*.yaml"))}
usable = {f: t for f, t in files.items() if use.search(t)}
lots = sorted({f.stem.removesuffix("_history") for f in usable}, key=lambda i: hashlib.sha256(i.encode()).hexdigest())
validating = set(lots[: len(lots) * 2 // 5])
wrong = []
for f, text in usable.items():
    drawn = "validation" if f.stem.removesuffix("_history") in validating else "calibration"
    if use.search(text).group(1) != drawn:
        wrong.append(f.name)
        if "check" not in sys.argv:
            f.write_text(use.sub(f"use: {drawn}", text, count=1))
if "check" in sys.argv and wrong:
    sys.exit("not as drawn: " + ", ".join(wrong))
print(f"{len(usable)} usable studies of {len(files)}: {sum(f.stem.removesuffix('_history') in validating for f in usable)} validate")
