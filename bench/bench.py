"""Measures and writes docs/benchmarks.md: scripts/bench.sh calls this with an environment that has what it needs.

    bench.py BUILD [PART ...]      parts: machine start single batch scaling roofline peers parquet; none: all

Every part leaves BUILD/bench/PART.json, stamped with the model's hash and the time; the page is written from what is there, all of it by
one format string after the other: no number of the page stands anywhere else.
"""

import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent.parent
DOCS = HERE / "docs"
PEOPLE, CASES, ROWS = 2000, 4096, 16384
LINE = 64  # bytes of a cache line


def tell(what):
    print(what, file=sys.stderr, flush=True)


class Measuring:
    def __init__(self, build):
        self.build, self.folder = build, build / "bench"

    def ask(self, *words, pin=False):
        """One call of `measure`."""
        first = ["taskset", "-c", str(max(os.sched_getaffinity(0)))] if pin else []
        out = subprocess.run([*first, str(self.folder / "measure"), *map(str, words)], check=True, stdout=subprocess.PIPE, text=True).stdout
        return json.loads(out)

    def machine(self):
        cpu = pathlib.Path("/proc/cpuinfo").read_text()
        name = re.search(r"model name\s*: (.*)", cpu)
        memory = re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())
        cache = (self.build / "CMakeCache.txt").read_text()
        compiler = re.search(r"CMAKE_CXX_COMPILER:\w+=(.*)", cache)[1]
        said = subprocess.run([compiler, "--version"], stdout=subprocess.PIPE, text=True).stdout.splitlines()[0]
        flags = re.search(r"CMAKE_CXX_FLAGS_RELEASE \"(.*)\"", (HERE / "CMakeLists.txt").read_text())
        system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
        return self.ask("machine", pin=True) | {
            "cpu": name[1] if name else platform.processor(), "cores": len(os.sched_getaffinity(0)), "memory_gb": int(memory[1]) / 1e6,
            "system": system, "compiler": said, "flags": flags[1] if flags else "",
            "version": subprocess.run([self.build / "dorsalgia", "--version"], stdout=subprocess.PIPE, text=True).stdout.strip().split("\n")[0]}

    def start(self):
        out = self.ask("start", pin=True)
        out["processes"] = []
        for example in sorted((HERE / "examples").glob("*.json")):
            seconds, ran, peak = [], [], 0
            for _ in range(9):
                begin = time.perf_counter()
                process = subprocess.Popen([self.build / "dorsalgia", "assess", example], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                used = os.wait4(process.pid, 0)[2]
                process.returncode = 0
                seconds.append(time.perf_counter() - begin)
                ran.append(used.ru_utime + used.ru_stime)
                peak = max(peak, used.ru_maxrss)
            out["processes"].append({"person": example.stem, "p50_ms": 1e3 * statistics.median(seconds), "ran_ms": 1e3 * statistics.median(ran), "peak_kb": peak})
        return out

    def single(self):
        return self.ask("single", PEOPLE, pin=True)

    def batch(self):
        return self.ask("batch", ROWS)

    def scaling(self):
        return self.ask("scaling", pin=True)

    def roofline(self):
        """Counted by valgrind (which has no AVX-512: the AVX2 lanes), as the difference of two runs, so that starting does not count."""
        few, many, out = 2048, 6144, {"target": "avx2"}

        def counted(tool, rows):
            said = subprocess.run(["valgrind", *tool, str(self.folder / "measure"), "rows", str(rows), "avx2"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True, check=True).stderr
            return said.replace(",", "")

        def number(pattern, text):
            return int(re.search(pattern, text)[1])

        caches = ["--tool=cachegrind", "--cache-sim=yes", "--cachegrind-out-file=/dev/null"]
        a, b = (counted(caches, rows) for rows in (few, many))
        for key, pattern in {"instructions": r"I +refs: +(\d+)", "l1_misses": r"D1 +misses: +(\d+)", "memory_misses": r"LLd misses: +(\d+)"}.items():
            out[key] = (number(pattern, b) - number(pattern, a)) / (many - few)
        a, b = (counted(["--tool=lackey", "--detailed-counts=yes"], rows) for rows in (few, many))
        size = {"I1": 0.125, "I8": 1, "I16": 2, "I32": 4, "I64": 8, "I128": 16, "F32": 4, "F64": 8, "F128": 16, "V128": 16, "V256": 32}
        for key, column in (("load_bytes", 1), ("store_bytes", 2), ("operations", 3)):
            out[key] = 0
            for kind, bytes_ in size.items():
                row = rf"^==\d+== +{kind} +(\d+) +(\d+) +(\d+)"
                one, two = (re.search(row, text, re.MULTILINE) for text in (a, b))
                if one and two:
                    # Arithmetic on vectors counts once for each single-precision lane.
                    each = bytes_ if column < 3 else {"V128": 4, "V256": 8, "F32": 1}.get(kind, 0)
                    out[key] += each * (int(two[column]) - int(one[column])) / (many - few)
        with_avx2 = self.ask("batch", 16384, pin=True)
        out["per_second"] = next(t["one"]["best_per_second"] for t in with_avx2["targets"] if t["target"] == "avx2")
        out["model"] = with_avx2["model"]
        return out

    def peers(self):
        folder = self.folder / "peers"
        folder.mkdir(exist_ok=True)
        pinned = self.ask("peers", folder, CASES, pin=True)
        both = self.ask("peers", folder, CASES)
        said = subprocess.run([sys.executable, HERE / "bench" / "peers.py", folder, "--cases", "1000", "--seconds", os.environ.get("SECONDS_EACH", "15")], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        # Ours once more at the end: the machine may have been busier at one end than at the other.
        after = self.ask("peers", folder, CASES, pin=True)
        return {"model": both["model"], "mine": pinned, "mine_after": after, "mine_on_all_cores": both, **json.loads(said)}

    def parquet(self, rows="5000000"):
        out = {"runs": []}
        env = os.environ | {"PYTHONPATH": str(self.folder / "python")}
        for through, threads in (("pyarrow", []), ("pyarrow", ["--threads", "1"]), ("duckdb", [])):
            said = subprocess.run([sys.executable, HERE / "bench" / "parquet.py", self.folder / "parquet", "--rows", os.environ.get("ROWS", rows),
                                   "--through", through, *threads], check=True, stdout=subprocess.PIPE, text=True, env=env).stdout
            out["runs"].append(json.loads(said))
        out["model"] = out["runs"][0]["model"]
        out["versions"] = {p: importlib.metadata.version(p) for p in ("pyarrow", "duckdb")}
        return out


PARTS = ["machine", "start", "single", "batch", "scaling", "roofline", "peers", "parquet"]


# ---- the page


def count(x):
    """Three figures, with commas: 1,230,000."""
    if x == 0:
        return "0"
    digits = 2 - int(f"{x:e}".split("e")[1])
    return f"{round(x, digits):,.{max(0, digits)}f}"


def us(x):
    return f"{count(x)} µs" if x < 1000 else f"{count(x / 1000)} ms"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join(" --- " if i == 0 else " ---: " for i in range(len(head))) + "|"]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def aim(text, reached):
    return f"- {'met' if reached else '**not met**'}: {text}\n"


def ours_at_worst(peers, question):
    """The slower of our two runs, before and after the others'."""
    return min(peers[run][question]["median_per_second"] for run in ("mine", "mine_after"))


def peers_part(p):
    mine, out = p["mine"], "## Beside general libraries\n\n"
    network = p["ours"]
    out += (f"Our own network as exported (`src/model/export.cpp`): {network['nodes']} nodes. Simulated people of general practice with what their records "
            f"hold, {mine['answers']:.1f} answers each, {mine['present']:.1f} of them there; {mine['different']:,} of {mine['cases']:,} cases differ. "
            "All are put to one age, sex, setting and duration, because to a general library these make another network, which it would have to load anew; "
            "measured values are left out, because the network has them as low, normal and raised only. Before times are taken, answers are compared: causes; and of "
            "\"all\" also stages, levels, mechanisms, tumour, malignant, emergency. One thread, pinned; a case is one call.\n\n"
            "**Not like for like in one respect**: these libraries take any network, ours compiles one family of networks, to which ours belongs.\n\n")
    rows = []
    for question, label in (("causes", "causes"), ("all", "all")):
        speed = ours_at_worst(p, question)
        rows.append([f"**Dorsalgia, table**, {label}", us(1e6 / speed) + " (mean)", "", count(speed), count(mine_cores(p, question)), "", ""])
        if question == "all":
            single = mine["single"]
            rows.append([f"**Dorsalgia, one person**, {label}", us(single["p50_us"]), us(single["p99_us"]), count(1e6 / single["mean_us"]), "", "", ""])
        for e in network["engines"]:
            r = e[question]
            if "fault" in r:
                rows.append([f"{e['name']}, {label}", "out of memory" if "Memory" in r["fault"] or "alloc" in r["fault"] else "gives up", "", "", "", "", ""])
                continue
            worst = max(r["worst"].values())
            beyond = f", but for {r['beyond_memory']} of {r['beyond_memory'] + r['cases']} cases, which need more memory" if r["beyond_memory"] else ""
            rows.append([f"{e['name']}, {label}{beyond}", us(1e3 * r["p50_ms"]), us(1e3 * r["p99_ms"]), count(1e3 / r["mean_ms"]),
                         count(r["all_cores_per_second"]) if "all_cores_per_second" in r else "", f"{worst:.0e} in {r['checked']}",
                         count(speed * r["mean_ms"] / 1e3)])
    out += table(["engine, question", "p50", "p99", "people/s, one core", "all cores", "worst difference", "ours faster by"], rows)
    versions = ", ".join(sorted({f"{e['name'].split()[0]} {e['version']}" for e in network["engines"]}))
    out += (f"\n{versions}, Python {p['python']}. How each was used is in `bench/peers.py`; those who know a faster way are invited to send it. "
            "Memory was limited to 10 GiB a library. \"All cores\" is a process for each.\n\n![people a second, by engine](benchmarks-peers.svg)\n\n")
    for question in ("causes", "all"):
        for name, wanted in (("pyAgrum", 1500), ("pgmpy", 10000)):
            means = [e[question]["mean_ms"] for e in network["engines"] if e["name"].startswith(name) and "mean_ms" in e[question]]
            if means:
                ratio = ours_at_worst(p, question) * min(means) / 1e3
                out += aim(f"at least {wanted:,} times {name} a person ({question}): {count(ratio)} times its fastest", ratio >= wanted)
    worst = max(x for e in network["engines"] for q in ("causes", "all") if "worst" in e[q] for x in e[q]["worst"].values())
    out += aim(f"equal answers, to 1e-6: worst difference {worst:.1e}", worst <= 1e-6)
    out += ("\n### Public networks\n\nFor scale only: ours cannot run these. A fifth of the nodes is observed in forward-sampled cases, one other node is asked for. "
            "Differences are to pyAgrum.\n\n")
    rows = []
    for n in p["public"]:
        for e in n["engines"]:
            rows.append([f"{n['name']}: {e['name']}", n["nodes"], n["evidence"],
                         *(["gives up: " + e["fault"].split(":")[0], "", ""] if "fault" in e else [us(1e3 * e["p50_ms"]), us(1e3 * e["p99_ms"]), f"{e['worst']:.0e}"])])
    return out + table(["network: engine", "nodes", "observed", "p50", "p99", "difference"], rows) + "\n"


def mine_cores(p, question):
    return p["mine_on_all_cores"][question + "_cores"]["median_per_second"]


def page(parts, cores):
    m, out = parts.get("machine"), "# How fast\n\n"
    out += ("Every number here was printed by `make bench`, which writes this page (`make bench PART=peers` measures a part anew; parts are "
            "machine, start, single, batch, scaling, roofline, peers, parquet). Aims are those of the project's issues; what is not met says so. "
            "Times of one thread are the time it ran, ours and others' alike, so that what else the machine did does not count; times of several threads and of files are "
            "by the clock, and suffer from it: the load of the machine before each part stands at the end.\n\n")
    if m:
        out += (f"{m['cpu']}, {m['cores']} cores of a virtual machine, clock {m['clock_hz'] / 1e9:.2f} GHz as measured, {m['memory_gb']:.0f} GB; {m['system']}; "
                f"{m['compiler']}, `{m['flags']}` (the kernel `-O3`; no `-march=native`: instruction sets are chosen at run time, here from "
                f"{', '.join(m['targets'])}); {m['version']}.\n\n")
    stamps = [[name, parts[name]["measured"], f"`{parts[name]['model'][:12]}`", f"{parts[name]['load']:.1f}"] for name in PARTS if name in parts]
    if b := parts.get("batch"):
        out += (f"## Tables\n\n{b['rows']:,} people of general practice, {b['answers']:.1f} answers each, {b['present']:.1f} of them there, as records have them "
                f"(`knowledge/recording.yaml`). Nothing is cached between rows. Median of {b['runs']} runs, one thread.\n\n")
        out += table(["instruction set, everything worked out", "people/s"], [[t["target"], count(t["one"]["median_per_second"])] for t in b["targets"]]) + "\n"
        out += table(["outputs, best instruction set", "people/s"], [[o["outputs"], count(o["one"]["median_per_second"])] for o in b["outputs"]]) + "\n"
        first = b["threads"][0]["best_per_second"] if b["threads"] else 0
        whole = b["less"][0]["one"]["median_per_second"]
        out += ("The same people, had less been known of them; what each costs with all others there.\n\n" +
                table(["known", "people/s", "of the time saved"],
                      [[x["known"], count(x["one"]["median_per_second"]), f"{1 - whole / x['one']['median_per_second']:.0%}"] for x in b["less"]]) + "\n")
        out += table([f"threads, by the clock, best of {b['runs']}", "people/s", "times one"],
                     [[t["threads"], count(t["best_per_second"]), f"{t['best_per_second'] / first:.2f}"] for t in b["threads"]]) + "\n"
        out += f"Peak memory of this process: {b['peak_kb'] / 1024:.0f} MB.\n\n"
        one = b["outputs"][0]["one"]["median_per_second"]
        out += aim(f"1,000,000 people a second on one core, everything worked out: {count(one)}", one >= 1e6)
        if len(b["threads"]) > 1:
            ratio = b["threads"][1]["best_per_second"] / first
            out += aim(f"two cores 1.8 times one: {ratio:.2f}", ratio >= 1.8)
        out += "\n"
    if s := parts.get("single"):
        out += (f"## One person\n\nWarm, one call after the other, for {s['posterior']['count']:,} people like those above ({s['answers']:.1f} answers); intervals for "
                f"{s['intervals']['count']} of them. The oracle is the same model written as plain loops.\n\n")
        names = {"posterior": "posterior: everything", "prospects": "next question: what every answer to every open question would do", "intervals": "256-draw intervals",
                 "oracle": "oracle, for contrast"}
        out += table(["", "p50", "p99", "mean"], [[label, us(s[k]["p50_us"]), us(s[k]["p99_us"]), us(s[k]["mean_us"])] for k, label in names.items()]) + "\n"
        out += aim(f"256-draw intervals in 2 ms: {us(s['intervals']['p50_us'])}", s["intervals"]["p50_us"] <= 2000)
        out += aim(f"next-question values in 60 µs: {us(s['prospects']['p50_us'])}", s["prospects"]["p50_us"] <= 60) + "\n"
    if s := parts.get("start"):
        out += "## From nothing\n\nA process for each: `dorsalgia assess`, from its start to its end, with report, reasons, intervals and next questions.\n\n"
        out += table(["person", "by the clock, p50", "running, p50", "peak memory"], [[x["person"], f"{x['p50_ms']:.0f} ms", f"{x['ran_ms']:.0f} ms", f"{x['peak_kb'] / 1024:.0f} MB"] for x in s["processes"]])
        out += (f"\nOf these: {s['unpack_ms']:.1f} ms to unpack the knowledge base, {s['compile_ms']:.1f} ms to compile the model, {s['engine_ms']:.1f} ms to build the engine; a table "
                f"needs {s['batch_engine_ms']:.0f} ms more for its own.\n\n")
        times = sorted(x["ran_ms"] for x in s["processes"])
        out += aim(f"a cold assessment in 40 ms, running: {times[0]:.0f} to {times[-1]:.0f} ms", times[-1] <= 40) + "\n"
    if s := parts.get("scaling"):
        out += ("## What it grows with\n\nOne thread, everything worked out. Rows are those of one table; answers are drawn from everything that could be known; fewer causes are "
                "spread over the list, without urgency.\n\n![people a second by rows, answers and causes](benchmarks-scaling.svg)\n\n")
        out += table(["rows", "people/s"], [[f"{r['rows']:,}", count(r["one"]["median_per_second"])] for r in s["rows"]]) + "\n"
        out += table(["answers", "of them there", "people/s"], [[f"{r['answers']:.1f}", f"{r['present']:.1f}", count(r["one"]["median_per_second"])] for r in s["answers"]]) + "\n"
        out += table(["causes", "people/s", "one person, p50"], [[r["causes"], count(r["one"]["median_per_second"]), us(r["single"]["p50_us"])] for r in s["causes"]]) + "\n"
    if (r := parts.get("roofline")) and m:
        cycles = m["clock_hz"] / r["per_second"]
        seconds = 1 / r["per_second"]
        out += (f"## How far from the limit\n\nCounted by valgrind for the AVX2 lanes (it knows no AVX-512), {count(r['per_second'])} people/s on one core, "
                "everything worked out; the peaks are measured here with loops that do nothing else.\n\n")
        from_memory = max(0.0, LINE * r["memory_misses"])  # of two runs the difference: a stray miss of the shorter one is no person's
        rows = [["instructions", count(r["instructions"]), f"{r['instructions'] / cycles:.2f} a cycle", "4 a cycle", f"{r['instructions'] / cycles / 4:.0%}"],
                ["single-precision operations", count(r["operations"]), f"{r['operations'] / seconds / 1e9:.1f} G/s", f"{m['avx2_flops'] / 1e9:.0f} G/s", f"{r['operations'] / seconds / m['avx2_flops']:.0%}"],
                ["bytes loaded", count(r["load_bytes"]), f"{r['load_bytes'] / seconds / 1e9:.1f} GB/s", f"{m['l1_bytes'] / 1e9:.0f} GB/s from L1", f"{r['load_bytes'] / seconds / m['l1_bytes']:.0%}"],
                ["bytes stored", count(r["store_bytes"]), f"{r['store_bytes'] / seconds / 1e9:.1f} GB/s", "", ""],
                ["bytes from beyond L1", count(LINE * r["l1_misses"]), f"{LINE * r['l1_misses'] / seconds / 1e9:.1f} GB/s", f"{m['l2_bytes'] / 1e9:.0f} GB/s from L2", f"{LINE * r['l1_misses'] / seconds / m['l2_bytes']:.0%}"],
                ["bytes from memory", count(from_memory), f"{from_memory / seconds / 1e9:.2f} GB/s", f"{m['memory_bytes'] / 1e9:.0f} GB/s", f"{from_memory / seconds / m['memory_bytes']:.0%}"]]
        out += table(["a person", "count", "reached", "peak", "share"], rows)
        nearest = max(rows, key=lambda row: float(row[4].rstrip("%") or 0))
        out += f"\nNearest to its limit: {nearest[0]}, {nearest[4]}.\n\n"
    if p := parts.get("parquet"):
        out += ("## From file to file\n\nA Parquet file of people (as records have them) to a Parquet file of results, through Python, in a process that does nothing else: "
                "`bench/parquet.py`. Default outputs. With pyarrow that is `dorsalgia.assess_parquet`, which reads, assesses and writes at the same time; with duckdb `read_parquet` "
                "on one side and `COPY` on the other. Threads are those of the engine; reading and writing have their own. \"From memory\" is the same rows given as Arrow and "
                "the results dropped: the library without files, on as many threads. \"Running\" is the time that all threads together ran.\n\n")
        out += table(["through", "threads", "people", "columns in, out", "file in, out", "time", "people/s", "from memory", "times that", "times that, running", "peak memory"],
                     [[r["through"] + " " + p["versions"][r["through"]], r["threads"], f"{r['rows']:,}", f"{r['columns_in']}, {r['columns_out']}", f"{r['mb_in']:.0f} MB, {r['mb_out']:.0f} MB", f"{r['seconds']:.1f} s",
                       count(r["rows"] / r["seconds"]), f"{r['kernel_seconds']:.1f} s", f"{r['ratio']:.2f}", f"{r['ran_ratio']:.2f}", f"{r['peak_mb']:.0f} MB"] for r in p["runs"]]) + "\n"
        best, most = min(r["ran_ratio"] for r in p["runs"]), max(r["peak_mb"] for r in p["runs"])
        rows = p["runs"][0]["rows"]
        out += aim(f"memory under 1 GB for 5,000,000 people: {most:.0f} MB for {rows:,}", most < 1000 and rows >= 5_000_000)
        for r in p["runs"]:
            if r["through"] == "pyarrow":
                out += aim(f"time within 1.5 times the library's own by the clock, engine on {r['threads']} thread{'s'[:r['threads'] > 1]}: {r['ratio']:.2f} times", r["ratio"] <= 1.5)
        out += aim(f"time within 1.5 times the library's own (running): {best:.2f} times", best <= 1.5)
        if b:
            bare = rows / next(o for o in b["outputs"] if "usual" in o["outputs"])["one"]["median_per_second"]
            ratio = min(r["user_seconds"] for r in p["runs"]) / bare
            out += aim(f"time within 1.5 times the bare kernel's of \"Tables\" above (running): {ratio:.2f} times", ratio <= 1.5)
        out += "\n"
    if p := parts.get("peers"):
        out += peers_part(p)
    out += "## When\n\n" + table(["part", "measured (UTC)", "model", "load of the machine before"], stamps)
    (DOCS / "benchmarks.md").write_text(out, encoding="utf-8")


def pictures(parts):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams |= {"svg.hashsalt": "dorsalgia", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "svg.fonttype": "none"}
    ours, others = "#0b6e69", "#b9b3a6"
    if p := parts.get("peers"):
        bars = [("Dorsalgia, table", ours_at_worst(p, "causes"), ours), ("Dorsalgia, one person", 1e6 / p["mine"]["single"]["mean_us"], ours)]
        bars += [(e["name"], 1e3 / e["causes"]["mean_ms"], others) for e in p["ours"]["engines"] if "mean_ms" in e["causes"]]
        bars.sort(key=lambda b: b[1])
        figure, axis = plt.subplots(figsize=(8, 0.42 * len(bars) + 0.9))
        axis.barh([b[0] for b in bars], [b[1] for b in bars], color=[b[2] for b in bars], log=True)
        for i, b in enumerate(bars):
            axis.text(b[1] * 1.15, i, count(b[1]), va="center")
        axis.set_xlim(min(b[1] for b in bars) / 3, bars[-1][1] * 12)
        axis.set_xlabel("people a second on one core: P(cause) on our network (logarithmic)")
        figure.tight_layout()
        figure.savefig(DOCS / "benchmarks-peers.svg", metadata={"Date": None})
    if s := parts.get("scaling"):
        figure, axes = plt.subplots(1, 3, figsize=(10, 3), sharey=True)
        for axis, (key, label, log) in zip(axes, (("rows", "rows of the table", True), ("answers", "answers a person", False), ("causes", "causes in the model", False))):
            axis.plot([r[key] for r in s[key]], [r["one"]["median_per_second"] / 1e3 for r in s[key]], color=ours, marker="o", ms=4)
            axis.set_xlabel(label)
            if log:
                axis.set_xscale("log")
        axes[0].set_ylabel("thousand people a second")
        axes[0].set_ylim(bottom=0)  # of all three, once all lines are drawn
        figure.tight_layout()
        figure.savefig(DOCS / "benchmarks-scaling.svg", metadata={"Date": None})


def main():
    build, wanted = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    wrong = [part for part in wanted if part not in [*PARTS, "page"]]
    if wrong:
        sys.exit(f"no part is called {', '.join(wrong)}: {', '.join(PARTS)}, page")
    measuring = Measuring(build)
    order = [part for part in PARTS if not wanted or part in wanted]
    for i, part in enumerate(order):
        tell(f"[{i + 1}/{len(order)}] {part} ...")
        begin, load = time.monotonic(), os.getloadavg()[0]
        result = getattr(measuring, part)()
        result |= {"measured": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M"), "load": load}
        (build / "bench" / f"{part}.json").write_text(json.dumps(result, indent=1))
        tell(f"[{i + 1}/{len(order)}] {part}: {time.monotonic() - begin:.0f} s")
    parts = {part: json.loads((build / "bench" / f"{part}.json").read_text()) for part in PARTS if (build / "bench" / f"{part}.json").exists()}
    page(parts, len(os.sched_getaffinity(0)))
    pictures(parts)
    tell("docs/benchmarks.md")


if __name__ == "__main__":
    main()
