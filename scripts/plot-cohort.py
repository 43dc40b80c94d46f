#!/usr/bin/env python3
"""plot-cohort.py JSON FOLDER [OUTCOME]: the decision curve of what `dorsalgia evaluate --json` wrote of a simulated cohort.

Draws decision-curve.svg and .png into FOLDER; OUTCOME: malignant (as without it) or tumour. The same JSON and the same
matplotlib give the same bytes.
"""
import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

# Okabe and Ito's colours, told apart by the colour-blind too.
BLUE, GREY, INK = "#0072B2", "#767676", "#1A1A1A"
LISTS = ["#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
STYLES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1))]
plt.rcParams.update({"svg.hashsalt": "dorsalgia", "svg.fonttype": "none", "font.family": "DejaVu Sans", "font.size": 9,
                     "axes.spines.top": False, "axes.spines.right": False})
NAMED = 5  # lists in colour: those with the highest net benefit summed over the thresholds; the others in grey


def per_10000(values):
    return [1e4 * v for v in values]


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        told = json.load(file)
    folder, outcome = pathlib.Path(sys.argv[2]), sys.argv[3] if len(sys.argv) == 4 else "malignant"
    r = told["outcomes"][outcome]
    x = r["thresholds"]
    most = 1e4 * r["share"]

    def worth(l):  # the area above scanning nobody, on the log axis
        return sum(max(v, 0) for v in l["net_benefit"])

    lists = sorted(r["lists"], key=worth, reverse=True)
    fig, axes = plt.subplots(figsize=(11, 5.6))
    axes.axhline(0, color=INK, lw=1)
    for l in lists[NAMED:]:
        axes.plot(x, per_10000(l["net_benefit"]), color="#CFCFCF", lw=0.9, zorder=1)
    for l, colour, style in zip(lists[:NAMED], LISTS, STYLES):
        axes.plot(x, per_10000(l["net_benefit"]), color=colour, ls=style, lw=1.5, zorder=2, label=l["name"])
    axes.plot(x, per_10000(r["net_benefit"]["all"]), color=INK, lw=1, ls=(0, (2, 2)), zorder=2, label="scan everybody")
    axes.plot(x, per_10000(r["net_benefit"]["model"]), color=BLUE, lw=2.6, zorder=3, label="scan when the model reaches the threshold")
    if len(lists) > NAMED:
        axes.plot([], [], color="#CFCFCF", lw=0.9, label=f"{len(lists) - NAMED} other red-flag lists")
    axes.text(1.01, 0, "scan nobody", transform=axes.get_yaxis_transform(), va="center", fontsize=8, color=INK)
    axes.axhline(most, color=GREY, lw=0.6, ls=":")
    axes.text(x[0], 1.02 * most, "all found, nobody scanned for nothing", fontsize=8, color=GREY, va="bottom")
    axes.set_xscale("log")
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(-0.5 * most, 1.12 * most)
    ticks = [t for t in (0.001, 0.003, 0.01, 0.03, 0.1, 0.3) if x[0] <= t <= x[-1]]
    axes.set_xticks(ticks, [f"{100 * t:g}%" for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel("threshold: the probability from which a scan is worth while")
    axes.set_ylabel("net benefit per 10,000 people")
    what = {"malignant": "a malignant tumour", "tumour": "a tumour"}[outcome]
    axes.set_title(f"Scanning for {what}: {told['people']:,} virtual adults, {r['people']:,} of them with one", loc="left", fontsize=11,
                   weight="bold", pad=12)
    handles, labels = axes.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: (not labels[i].startswith("scan when"), labels[i].startswith("scan every"),
                                                      "other red-flag" in labels[i]))
    axes.legend([handles[i] for i in order], [labels[i] for i in order], loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False,
                fontsize=8)
    fig.tight_layout()
    fig.savefig(folder / "decision-curve.svg", metadata={"Date": None, "Creator": None})
    fig.savefig(folder / "decision-curve.png", dpi=110, metadata={"Software": None})
    print(f"{folder / 'decision-curve'}.svg, .png; {what}, area under the ROC curve {r['auroc']['value']:.3f}")


if __name__ == "__main__":
    main()
