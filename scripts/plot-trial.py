#!/usr/bin/python3
"""Scans against delay: plots what `dorsalgia trial --json` printed.

    dorsalgia trial --people 100000 --json -o trial.json && scripts/plot-trial.py trial.json docs/trial.svg docs/trial.png
"""
import json
import math
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.text import Text  # noqa: E402

matplotlib.rcParams["svg.hashsalt"] = "dorsalgia"  # the same file for the same numbers

SHORT = {
    "acp_2011": "ACP 2011",
    "all_rules_uk": "every rule of Dorsalgia (UK)",
    "any_red_flag": "any red flag",
    "care_of_the_1990s": "care of the 1990s",
    "deyo_diehl_1988": "Deyo & Diehl 1988",
    "model_1_percent": "Dorsalgia, 1%",
    "model_3_percent": "Dorsalgia, 3%",
    "nice": "NICE",
    "scan_everyone": "scan everyone",
    "wait_for_deficit": "wait for deficit",
}
# Where a label may stand, best first.
DIRECTIONS = [(math.cos(math.radians(a)), math.sin(math.radians(a))) for a in (0, 25, -25, 180, 50, -50, 75, -75, 90, -90, 115, -115, 140, -140)]
PANELS = [
    ("visit_to_diagnosis_weeks", 1, "weeks from first visit to diagnosis (median)"),
    ("compressed_before_diagnosis", 100, "cord or cauda compressed before diagnosis (%)"),
]


def near(a, b, p):
    """Distance of p from the line between a and b."""
    along = max(0, min(1, ((p - a) @ (b - a)) / ((b - a) @ (b - a))))
    return math.hypot(*(p - a - along * (b - a)))


def place_labels(figure, axis, points):
    """Each label takes the first place around its point that is free of points and other labels."""
    renderer = figure.canvas.get_renderer()
    frame = axis.get_window_extent(renderer)
    taken = []
    pixels = [axis.transData.transform(p[:2]) for p in points]
    for order, (x, y, text, colour) in enumerate(points):
        best = None
        for distance in (9, 18, 28, 40, 54, 70, 90, 115):
            for dx, dy in DIRECTIONS:
                side = "left" if dx > 0.1 else "right" if dx < -0.1 else "center"
                note = axis.annotate(text, (x, y), (dx * distance, dy * distance), textcoords="offset points", ha=side, va="center",
                                     fontsize=9.5, color=colour,
                                     arrowprops={"arrowstyle": "-", "lw": 0.6, "color": "0.6", "shrinkA": 1, "shrinkB": 4,
                                                 "relpos": (0 if dx > 0.1 else 1 if dx < -0.1 else 0.5, 0.5)} if distance > 12 else None)
                note.update_positions(renderer)
                box = Text.get_window_extent(note, renderer).padded(2)  # of the words, without the line to the point
                end = axis.transData.transform((x, y)) + [dx * distance * figure.dpi / 72, dy * distance * figure.dpi / 72]
                free = (not any(near(pixels[order], end, other) < 7 for i, other in enumerate(pixels) if i != order)
                        and not any(box.overlaps(other) for other in taken)
                        and not any(box.x0 - 5 < px < box.x1 + 5 and box.y0 - 5 < py < box.y1 + 5 for px, py in pixels)
                        and box.x0 > frame.x0 and box.x1 < frame.x1 and box.y0 > frame.y0 and box.y1 < frame.y1)
                if free:
                    best = box
                    break
                note.remove()
            if best is not None:
                break
        if best is None:
            raise SystemExit(f"no room for the label '{text}'")
        taken.append(best)


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        trial = json.load(file)
    figure, axes = plt.subplots(1, 2, figsize=(12.5, 5.4))
    for axis, (outcome, factor, label) in zip(axes, PANELS):
        points = []
        for p in trial["pathways"]:
            mri, y = p["outcomes"]["mri_per_1000"], p["outcomes"][outcome]
            if None in (y["value"], mri["value"]):
                print(f"{p['id']}: more than half not found within the year; left out", file=sys.stderr)
                continue
            colour = "#b3261e" if p["id"].startswith("model_") else "#1f4e79"
            low, high = (y[k] if y[k] is not None else y["value"] for k in ("low", "high"))
            axis.errorbar(mri["value"], factor * y["value"], xerr=[[mri["value"] - mri["low"]], [mri["high"] - mri["value"]]],
                          yerr=[[factor * (y["value"] - low)], [factor * (high - y["value"])]], fmt="o", ms=6, color=colour, elinewidth=1)
            points.append((mri["value"], factor * y["value"], SHORT.get(p["id"], p["id"]), colour))
        axis.set_xlabel("MRI per 1,000 presentations")
        axis.set_ylabel(label)
        axis.set_xlim(left=0, right=1.22 * max(p[0] for p in points))
        axis.set_ylim(-0.05 * max(p[1] for p in points), 1.12 * max(p[1] for p in points))
        axis.grid(color="0.92")
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
        figure.tight_layout(rect=(0, 0.06, 1, 1))
        figure.canvas.draw()
        place_labels(figure, axis, sorted(points, reverse=True))
    figure.text(0.01, 0.015, f"{trial['people']:,} virtual adults with back pain at a first visit in primary care, the same in every pathway; malignant tumours of the "
                "spine; bars: 95% of sampling.", fontsize=8.5, color="0.35")
    for target in sys.argv[2:]:
        figure.savefig(target, dpi=130, metadata={"Date": None} if target.endswith(".svg") else None)


main()
