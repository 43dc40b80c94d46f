#!/usr/bin/env python3
"""plot-validation.py JSON FOLDER: draws what `dorsalgia validate --json` wrote, as SVG and PNG into FOLDER:

validation, validation-calibration: every figure, observed beside expected, of the studies that validate and calibrate
calibration: expected against observed, all of them in one picture

The same JSON and the same matplotlib give the same bytes.
"""
import json
import math
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402

# Okabe and Ito's colours, told apart by the colour-blind too.
BLUE, ORANGE, VERMILION, GREY, INK = "#0072B2", "#E69F00", "#D55E00", "#767676", "#1A1A1A"
plt.rcParams.update({"svg.hashsalt": "dorsalgia", "svg.fonttype": "none", "font.family": "DejaVu Sans", "font.size": 8,
                     "axes.spines.top": False, "axes.spines.right": False})

LEAST, MOST = 0.00008, 0.9994  # shares beyond are drawn at the edge
SHARES = [0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999]
RATIOS = [0.1, 0.3, 1, 3, 10, 30, 100]


def logit(p):
    p = min(max(p, LEAST), MOST)
    return math.log(p / (1 - p))


def percent(p):
    return f"{100 * p:g}%"


def words(identifier):
    return identifier.replace("_", " ")


def is_share(figure):
    return figure["kind"] in ("share", "recovered")


def place(figure, value):
    return logit(value) if is_share(figure) else math.log(min(max(value, 0.04), 250))


def save(fig, folder, name):
    fig.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
    fig.savefig(folder / f"{name}.png", dpi=110, metadata={"Software": None})
    plt.close(fig)
    print(f"{folder / name}.svg, .png")


def rows_of(figures):
    """[(study or None, figure or None)]: a line for each study and one for each of its figures."""
    rows = []
    for study in sorted({f["study"] for f in figures}):
        rows.append((study, None))
        rows += [(None, f) for f in figures if f["study"] == study]
    return rows


def draw_rows(axes, rows, ticks, labels, shares):
    left, right = (logit(LEAST), logit(MOST)) if shares else (math.log(0.04), math.log(250))
    axes.set_xlim(left, right)
    axes.set_ylim(len(rows) - 0.4, -0.8)
    axes.set_xticks([logit(t) if shares else math.log(t) for t in ticks], labels)
    axes.xaxis.set_ticks_position("both")
    axes.tick_params(axis="x", labeltop=True, labelbottom=True, labelsize=7, length=2)
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    for t in ticks:
        axes.axvline(logit(t) if shares else math.log(t), color="#E4E4E4", lw=0.6, zorder=0)
    for y, (study, figure) in enumerate(rows):
        if study:
            axes.text(-0.02, y, words(study), transform=axes.get_yaxis_transform(), ha="right", va="center", fontsize=7.5,
                      weight="bold", color=INK)
            axes.axhline(y - 0.5, color="#D0D0D0", lw=0.5, xmin=-0.6, clip_on=False, zorder=0)
            continue
        outside = not figure["inside"]
        colour = VERMILION if outside else INK
        axes.text(-0.02, y, words(figure["figure"]), transform=axes.get_yaxis_transform(), ha="right", va="center", fontsize=7.5,
                  color=colour)
        low, high = place(figure, figure["expected_low"]), place(figure, figure["expected_high"])
        axes.plot([low, high], [y, y], color=BLUE, alpha=0.28, lw=5.5, solid_capstyle="butt", zorder=1)
        axes.plot([place(figure, figure["expected"])] * 2, [y - 0.34, y + 0.34], color=BLUE, lw=1.6, zorder=2)
        at = place(figure, figure["observed"])
        if figure["observed_low"] is not None:
            axes.plot([place(figure, figure["observed_low"]), place(figure, figure["observed_high"])], [y, y], color=colour, lw=1, zorder=3)
        edge = "<" if at <= left else ">" if at >= right else None
        axes.plot([at], [y], marker=edge or ("D" if outside else "o"), ms=4.2, color=colour, zorder=4, clip_on=False)
        if outside:
            axes.text(1.01, y, f"{figure['distance']:+.1f}", transform=axes.get_yaxis_transform(), va="center", fontsize=7, color=VERMILION)


def forest(figures, title, folder, name):
    shares = rows_of([f for f in figures if is_share(f)])
    ratios = rows_of([f for f in figures if not is_share(f)])
    # The second column also holds the ratios; a study is not torn apart.
    gap = 5 if ratios else 0
    half = (len(shares) + len(ratios) + gap + 1) // 2
    starts = [i for i, (study, _) in enumerate(shares) if study] + [len(shares)]
    cut = min(starts, key=lambda i: abs(i - half))
    columns = [(shares[:cut], []), (shares[cut:], ratios)]
    inch = 0.165
    tall = max(len(a) + (len(b) + gap if b else 0) for a, b in columns) * inch
    top, bottom = 1.15, 0.45
    height, width = tall + top + bottom, 13.2
    fig = plt.figure(figsize=(width, height))
    for column, (upper, lower) in enumerate(columns):
        x, w = (0.185 + 0.5 * column), 0.28
        at = height - top
        for rows, ticks, labels, share in ((upper, SHARES, [percent(t) for t in SHARES], True),
                                           (lower, RATIOS, [f"{t:g}" for t in RATIOS], False)):
            if not rows:
                continue
            tall_here = len(rows) * inch
            axes = fig.add_axes([x, (at - tall_here) / height, w, tall_here / height])
            draw_rows(axes, rows, ticks, labels, share)
            if not share:
                axes.set_title("likelihood ratios and odds ratios", fontsize=8, color=GREY, pad=16)
            at -= tall_here + gap * inch
    counted = len(figures)
    inside = sum(f["inside"] for f in figures)
    fig.text(0.015, 1 - 0.22 / height, title, fontsize=12, weight="bold", va="center")
    fig.text(0.015, 1 - 0.45 / height, f"{inside} of {counted} figures ({100 * inside / counted:.0f}%) inside the model's 95% interval",
             fontsize=9, va="center", color=GREY)
    fig.legend(handles=[Line2D([], [], marker="o", color=INK, lw=1, ms=4.2, label="observed, 95% interval"),
                        Line2D([], [], marker="D", color=VERMILION, lw=1, ms=4.2, label="outside, by so many standard deviations"),
                        Line2D([], [], marker="|", color=BLUE, lw=0, ms=8, mew=1.6, label="expected by the model"),
                        Patch(color=BLUE, alpha=0.28, lw=0, label="where 95 of 100 such studies should fall")],
               loc="upper right", bbox_to_anchor=(0.985, 1 - 0.08 / height), ncol=2, frameon=False, fontsize=8)
    save(fig, folder, name)


def against(figures, spread, folder):
    fig, axes = plt.subplots(figsize=(8, 8))
    low, high = logit(LEAST), logit(MOST)
    line = [low + (high - low) * i / 100 for i in range(101)]
    axes.fill_between(line, [x - 1.96 * spread for x in line], [x + 1.96 * spread for x in line], color="#ECECEC", lw=0, zorder=0)
    axes.plot(line, line, color=GREY, lw=0.8, zorder=1)
    kinds = (("calibration", ORANGE, "o"), ("validation", BLUE, "s"))
    for use, colour, marker in kinds:
        for f in (f for f in figures if f["use"] == use):
            x, y = logit(f["expected"]), logit(f["observed"])
            if f["observed_low"] is not None:
                axes.plot([x, x], [logit(f["observed_low"]), logit(f["observed_high"])], color=colour, lw=0.6, alpha=0.35, zorder=2)
            axes.plot([x], [y], marker=marker, ms=5, mec=colour, mew=1.1, mfc=colour if not f["inside"] else "white", lw=0, zorder=3)
    # The names of those furthest away, where they do not cover each other.
    taken = []
    for f in sorted((f for f in figures if not f["inside"]), key=lambda f: -abs(f["distance"]))[:14]:
        x, y = logit(f["expected"]), logit(f["observed"])
        if any(abs(y - v) < 0.24 and abs(x - u) < 3.6 for u, v in taken):
            continue
        taken.append((x, y))
        left = f["observed"] > f["expected"] and x > logit(0.003)  # away from the crowd on the diagonal
        axes.annotate(f"{words(f['study'])}:{' ' if left else chr(10)}{words(f['figure'])}", (x, y), xytext=(-6 if left else 6, 0),
                      textcoords="offset points", ha="right" if left else "left", va="center", fontsize=6.5, color=INK)
    for set_limits, set_ticks in ((axes.set_xlim, axes.set_xticks), (axes.set_ylim, axes.set_yticks)):
        set_limits(low, high)
        set_ticks([logit(t) for t in SHARES], [percent(t) for t in SHARES])
    axes.grid(color="#F1F1F1", lw=0.6, zorder=0)
    axes.set_axisbelow(True)
    axes.set_xlabel("expected by the model")
    axes.set_ylabel("observed in the study, 95% interval")
    axes.set_title("Shares in published studies: expected against observed", loc="left", fontsize=11, weight="bold")
    count = {use: [f for f in figures if f["use"] == use] for use, _, _ in kinds}
    told = {use: f"{use}: {sum(f['inside'] for f in fs)} of {len(fs)} inside" for use, fs in count.items()}
    axes.legend(handles=[Line2D([], [], marker=m, mec=c, mfc="white", mew=1.1, lw=0, ms=5, label=told[u]) for u, c, m in kinds] + [
        Line2D([], [], marker="o", mec=GREY, mfc=GREY, lw=0, ms=5, label="filled: outside the model's interval"),
        Line2D([], [], color=GREY, lw=0.8, label="as expected"),
        Patch(color="#ECECEC", lw=0, label="95% of what differs between studies alone")], loc="lower right", frameon=False, fontsize=8)
    fig.subplots_adjust(left=0.1, right=0.97, bottom=0.07, top=0.95)
    save(fig, folder, "calibration")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        told = json.load(file)
    folder = pathlib.Path(sys.argv[2])
    counted = [f for f in told["figures"] if "inside" in f]
    for use, title, name in (("validation", "Validation: studies that were never used to fit", "validation"),
                             ("calibration", "Calibration: studies that the model was fitted to", "validation-calibration")):
        figures = [f for f in counted if f["use"] == use]
        if figures:
            forest(figures, title, folder, name)
    against([f for f in counted if is_share(f)], told["between_studies"], folder)


if __name__ == "__main__":
    main()
