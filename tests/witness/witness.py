"""The outside witness: does a library that knows nothing of dorsalgia get the same answers from the exported network?

For random people (age, sex, setting, duration) the program writes the network of each; for random answers of each person
pyAgrum's junction tree and dorsalgia's engines are asked for the same probabilities. The people are given to dorsalgia as
JSON, in words, and to the network as values of its nodes: reading, compiling, exporting and inferring are all in between.

What pyAgrum 3.3.1 does not do as we need it:
- it reads the numbers of BIF and UAI in single precision (relative error 6e-8). So the tables it has read from BIF are filled
  again, in double precision, with the numbers of the file, row by row and by the values' names; before that both must be
  the same in single precision, which shows that it understands the rows as we do.
- it reads (and writes) XDSL and UAI with the first parent running fastest; GeNIe's files and the definition of UAI have the
  last one fastest, as ours. So these two must load into the same nodes, values and parents, and into the same numbers in
  the order of the file; and the text of all three must hold the same numbers. pgmpy (--pgmpy) reads XDSL as GeNIe does.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import random
import re
import subprocess
import sys

import numpy as np
import pyagrum as gum

HISTORY = ["never", "under_1_year_ago", "from_1_to_5_years_ago", "from_5_to_10_years_ago", "over_10_years_ago"]
FORMATS_COMPARED = 4  # of how many people all three formats are compared; the others are read as BIF only


def call(program, *words, people=None):
    text = None if people is None else "".join(json.dumps(p) + "\n" for p in people)
    return subprocess.run([program, *words], input=text, check=True, capture_output=True, text=True).stdout


# ---- people in words, and the same as evidence


class People:
    """Random people. Evidence is {node: [1 for each value that the answer allows, else 0]}."""

    def __init__(self, vocabulary, seed):
        self.v = vocabulary
        self.random = random.Random(seed)
        self.histories = [f["id"] for f in vocabulary["findings"] if f["shape"] == "history"]

    def profile(self, number):
        r = self.random
        settings = [None] + self.v["settings"]
        weeks = round(10 ** r.uniform(-1, 2.5), 2)
        durations = [None, weeks, [weeks, round(weeks * r.uniform(1.1, 9), 2)], {"min": weeks}, {"max": weeks}]
        out = {"age": round(r.uniform(18, 95), 1), "sex": ["male", "female"][number % 2], "setting": settings[number // 2 % len(settings)],
               "duration_weeks": durations[number % len(durations)]}
        return {key: value for key, value in out.items() if value is not None}

    def answer(self, f, sex):
        """A word for one finding and which of its node's values it allows."""
        r = self.random
        if f["shape"] == "measured":
            word = r.choice(f[sex])
            return word, [int(word == value) for value in ("low", "normal", "raised")]
        if f["shape"] == "history":
            return (True, [0, 1, 1, 1, 1]) if r.random() < 0.5 else (False, [1, 0, 0, 0, 0])
        grades = len(f["grades"]) or 2
        grade = 0 if r.random() < 0.6 else r.randrange(1, grades)
        if grade == 0:
            return "absent", [1] + [0] * (grades - 1)
        if grades > 2 and r.random() < 0.7:
            return f["grades"][grade], [int(g == grade) for g in range(grades)]
        return "present", [0] + [1] * (grades - 1)

    def person(self, profile):
        """(JSON for dorsalgia, evidence, evidence under which 'had cancer, which is not said' is untrue or None)."""
        r = self.random
        out = dict(profile, findings={}, context={}, labs={})
        evidence, none = {}, None
        for f in r.sample(self.v["findings"], r.randint(1, 25)):
            section = {"context": "context", "history": "context", "measured": "labs"}.get(f["shape"], "findings")
            if r.random() < 0.1:  # unknown is never absent: these must change nothing
                out[section][f["id"]] = r.choice([None, "unknown"])
                continue
            word, allowed = self.answer(f, profile["sex"])
            if f["id"] == "sensory_level" and word == "present" and r.random() < 0.7:
                word = r.choice(self.v["segments"])
                evidence["Sensory_level_border"] = [int(s == word) for s in self.v["segments"] + ["elsewhere"]]
            out[section][f["id"]] = word
            evidence[f["id"]] = allowed
        asked = [h for h in self.histories if h in evidence]
        if all(evidence[h][0] for h in asked) and r.random() < 0.1:  # "had cancer", which is not said; not one that is denied
            out["context"]["cancer_history"] = True
            none = {h: [1, 0, 0, 0, 0] for h in self.histories}
        if (none or any(evidence[h][0] == 0 for h in asked)) and r.random() < 0.5:
            years = r.uniform(0, 17)
            bin_ = 1 if years < 1 else 2 if years < 5 else 3 if years < 10 else 4
            out["context"]["years_since_cancer"] = years
            for h in asked:
                if evidence[h][0] == 0:
                    evidence[h] = [int(i == bin_) for i in range(5)]
            if none:
                none = {h: evidence.get(h, [int(i != bin_) for i in range(5)]) for h in none}
        if r.random() < 0.5:
            places = r.sample(self.v["locations"], r.randint(1, 3))
            out["location"] = places if len(places) > 1 or r.random() < 0.5 else places[0]
            evidence["Pain_location"] = [int(p in places) for p in self.v["locations"] + ["elsewhere"]]
        return out, evidence, none and {**evidence, **none}


# ---- asking


class Witness:
    def __init__(self, network, vocabulary):
        self.network, self.v = network, vocabulary
        self.targets = ["State", "Level", "Emergency"] + ["mechanism_" + m for m in vocabulary["mechanisms"]] + ["Cause", "Behaviour"]
        self.stage_of = {}
        for c, (cause, stages) in enumerate(zip(vocabulary["causes"], vocabulary["stages"])):
            for s, stage in enumerate(stages):
                self.stage_of[cause, stage] = (c, s)

    def raw(self, evidence):
        """P(evidence) and the marginals of the targets."""
        engine = gum.LazyPropagation(self.network)
        engine.setNumberOfThreads(1)
        for target in self.targets:
            engine.addTarget(target)
        engine.setEvidence(evidence)
        engine.makeInference()
        return engine.evidenceProbability(), {t: engine.posterior(t).toarray() for t in self.targets}

    def posterior(self, evidence, none=None):
        """What the network says, in the shape of dorsalgia's answer."""
        p, m = self.raw(evidence)
        if none:  # at least one of them: everybody less those with none
            q, n = self.raw(none)
            m = {t: (p * m[t] - q * n[t]) / (p - q) for t in m}
            p -= q
        stages = [[0.0] * len(s) for s in self.v["stages"]]
        for value, label in zip(m["State"], self.network.variable("State").labels()):
            c, s = self.stage_of[tuple(label.split("__")[:2])]
            stages[c][s] += value
        return {"log_evidence": np.log(p), "tumour": 1 - m["Behaviour"][0], "malignant": m["Behaviour"][2], "emergency": m["Emergency"][1],
                "causes": m["Cause"], "levels": m["Level"], "mechanisms": [m["mechanism_" + x][1] for x in self.v["mechanisms"]],
                "stages": np.concatenate(stages)}


def differences(witness, engine, bare):
    """Greatest difference by quantity. The network knows not how likely age and duration are: its log evidence is less that."""
    engine = dict(engine, log_evidence=engine["log_evidence"] - bare["log_evidence"], stages=np.concatenate(engine["stages"]))
    return {key: float(np.max(np.abs(np.asarray(witness[key]) - np.asarray(engine[key])))) for key in witness}


# ---- formats


def read(base, ending):
    with open(f"{base}.{ending}", encoding="utf-8") as file:
        return file.read()


def load(base):
    """The network of a BIF file, in double precision."""
    network, text = gum.loadBN(base + ".bif"), read(base, "bif")
    filled = 0
    for name, parents, body in re.findall(r"^probability \( (\w+)(?: \| ([^)]*))? \) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        parents = parents.split(", ") if parents else []
        table = network.cpt(name)
        if tuple(table.names) != (name, *parents):
            raise ValueError(f"{base}.bif: {name} has other parents when read")
        value = [{label: i for i, label in enumerate(network.variable(p).labels())} for p in parents]
        numbers_ = np.full([len(v) for v in value] + [network.variable(name).domainSize()], np.nan)
        for row in body.splitlines():
            values, row = re.fullmatch(r"  (?:table|\((.*?)\)) (.*);", row).groups()
            at = tuple(v[label] for v, label in zip(value, values.split(", "), strict=True)) if values else ()
            numbers_[at] = [float(x) for x in row.split(", ")]
        numbers_ = file_order(numbers_)  # its own reverse: from the parents in order to the parents reversed
        if not np.array_equal(table.toarray(), numbers_.astype(np.float32)):
            raise ValueError(f"{base}.bif: the table of {name} is another one when read")
        table.fillWith(numbers_.ravel().tolist())
        filled += 1
    if filled != network.size():
        raise ValueError(f"{base}.bif: {filled} tables for {network.size()} nodes")
    return network


def file_order(table):
    """pyAgrum keeps the parents in reverse, the last one first; files have the first one first. The node itself is last."""
    parents = table.ndim - 1
    return table.transpose(*reversed(range(parents)), parents)


def numbers(text, ending):
    """All probabilities of a network file as written, in order."""
    if ending == "bif":
        rows = re.findall(r"^  (?:table|\(.*?\)) (.*);$", text, re.MULTILINE)
    elif ending == "xdsl":
        rows = re.findall(r"<probabilities>(.*?)</probabilities>", text)
    else:
        rows = text.split("\n\n", 1)[1].split("\n")[1::3]
    return [number for row in rows for number in re.split(r"[, ]+", row)]


def same_numbers(base):
    bif, xdsl, uai = (numbers(read(base, ending), ending) for ending in ("bif", "xdsl", "uai"))
    return len(bif) > 0 and bif == xdsl == uai


def same_tables(base, network):
    """XDSL and UAI as the library reads them."""
    xdsl, uai = gum.loadBN(base + ".xdsl"), gum.loadBN(base + ".uai")
    if not network.size() == xdsl.size() == uai.size():
        return False
    for node in network.nodes():
        variable, table = network.variable(node), network.cpt(node)
        name, flat = variable.name(), file_order(table.toarray()).ravel()
        parents = [str(network.idFromName(parent)) for parent in table.names[1:]]
        if (tuple(xdsl.cpt(name).names) != tuple(table.names) or xdsl.variable(name).labels() != variable.labels()
                or tuple(uai.cpt(str(node)).names) != (str(node), *parents)
                or not np.array_equal(xdsl.cpt(name).toarray().ravel(), flat)
                or not np.array_equal(uai.cpt(str(node)).toarray().ravel(), flat.astype(np.float32))):
            return False
    return True


# ---- one person, many answers


def draw(people, program, profile, count):
    """(person, evidence, none, what dorsalgia says) for `count` people, and what it says without any answer."""
    bare = json.loads(call(program, "posteriors", people=[profile]))
    cases, refused = [], 0
    while len(cases) < count:
        candidates = [people.person(profile) for _ in range(count - len(cases))]
        for case, line in zip(candidates, call(program, "posteriors", people=[c[0] for c in candidates]).splitlines(), strict=True):
            says = json.loads(line)
            if "fault" not in says:
                cases.append((*case, says))
                continue
            # Some random people cannot be (a pregnant man) and are refused; any other complaint is a fault of ours.
            refused += 1
            if "does not occur in a" not in says["fault"] or refused > 10 * count:
                raise ValueError(f"a random person is not understood: {says['fault']}: {json.dumps(case[0])}")
    return cases, bare


def one_profile(job):
    number, base, vocabulary, program, profile, count, seed = job
    try:
        cases, bare = draw(People(vocabulary, seed), program, profile, count)
        network = load(base)
    except ValueError as fault:
        return {"wrong": str(fault)}
    witness = Witness(network, vocabulary)
    worst = {}
    for person, evidence, none, says in cases:
        heard = witness.posterior(evidence, none)
        for engine in ("exact", "oracle"):
            if not says[engine]["possible"]:
                return {"wrong": f"the {engine} engine finds impossible what the network does not: {json.dumps(person)}"}
            for key, difference in differences(heard, says[engine], bare[engine]).items():
                if not difference <= worst.get((engine, key), (0, None))[0]:  # also true of nan
                    worst[engine, key] = (difference, person)
    out = {"worst": worst, "asked": len(cases)}
    if number < FORMATS_COMPARED and not same_numbers(base):
        out["wrong"] = f"{base}: BIF, XDSL and UAI do not hold the same numbers"
    elif number < FORMATS_COMPARED and not same_tables(base, network):
        out["wrong"] = f"{base}: XDSL or UAI load into another network than BIF"
    if number == 0:  # would a wrong number be noticed? One per cent more on the prior odds of one state.
        moved = 0
        for _, evidence, none, says in cases[:5]:
            bent = gum.BayesNet(network)
            prior = bent.cpt("State").toarray()
            prior[int(np.argmax(witness.raw(evidence)[1]["State"]))] *= 1.01
            bent.cpt("State").fillWith(list(prior / prior.sum()))
            heard = Witness(bent, vocabulary).posterior(evidence, none)
            moved = max(moved, differences(heard, says["exact"], bare["exact"])["causes"])
        out["moved"], out["cases"] = moved, cases
    return out


def second_witness(base, vocabulary, cases, count):
    """pgmpy on a few: P(cause) and P(tumour). Only whole answers, one value each."""
    import logging
    import warnings

    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    import pgmpy
    from pgmpy.inference import VariableElimination
    from pgmpy.readwrite import XDSLReader

    model = XDSLReader(base + ".xdsl").get_model()
    worst = done = 0
    for _, evidence, none, says in cases:
        if done == count or none or any(sum(allowed) != 1 for allowed in evidence.values()):
            continue
        labels = {node: list(model.get_cpds(node).state_names[node]) for node in evidence}
        observed = {node: labels[node][allowed.index(1)] for node, allowed in evidence.items()}
        asked = VariableElimination(model).query(["Cause"], evidence=observed, show_progress=False)
        heard = dict(zip(asked.state_names["Cause"], asked.values))
        worst = max(worst, max(abs(heard[c] - p) for c, p in zip(vocabulary["causes"], says["exact"]["causes"])))
        done += 1
    return f"pgmpy {pgmpy.__version__} on {done}: {worst:.1e}", worst if done else float("nan")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("answers", help="the program witness-answers")
    options.add_argument("folder", help="where the networks are written")
    options.add_argument("--sets", type=int, default=1000)
    options.add_argument("--profiles", type=int, default=20)
    options.add_argument("--seed", type=int, default=20240229)
    options.add_argument("--limit", type=float, default=1e-6)
    options.add_argument("--pgmpy", action="store_true", help="ask pgmpy too (must be installed)")
    o = options.parse_args()

    os.makedirs(o.folder, exist_ok=True)
    vocabulary = json.loads(call(o.answers, "vocabulary"))
    people = People(vocabulary, o.seed)
    profiles = [people.profile(n) for n in range(o.profiles)]
    call(o.answers, "networks", o.folder, people=profiles)

    count = -(-o.sets // o.profiles)
    jobs = [(n, f"{o.folder}/{n}", vocabulary, o.answers, profile, count, f"{o.seed} {n}") for n, profile in enumerate(profiles)]
    with concurrent.futures.ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = list(pool.map(one_profile, jobs))
    wrong = [r["wrong"] for r in results if "wrong" in r]
    if wrong:
        sys.exit("outside witness: FAILED: " + "\n".join(wrong))

    worst = collections.defaultdict(lambda: (0.0, None))
    for r in results:
        for key, (difference, person) in r["worst"].items():
            if not difference <= worst[key][0]:
                worst[key] = (difference, person)
    quantity, (difference, person) = max(worst.items(), key=lambda item: (np.isnan(item[1][0]), item[1][0]))
    moved, asked = results[0]["moved"], sum(r["asked"] for r in results)
    second, second_worst = second_witness(jobs[0][1], vocabulary, results[0]["cases"], 10) if o.pgmpy else ("", 0)

    good = difference <= o.limit and moved > o.limit and second_worst <= o.limit
    print(f"outside witness: {asked} random people, {o.profiles} networks, pyAgrum {gum.__version__}: worst difference {difference:.1e} "
          f"({quantity[0]}, {quantity[1]}), limit {o.limit:.0e}; BIF, XDSL and UAI agree; one number bent by 1% moves {moved:.1e}"
          f"{'; ' + second if second else ''}: {'agrees' if good else 'FAILED'}")
    if not good:
        print("\n".join(f"  {engine} {key}: {d:.3e}" for (engine, key), (d, _) in sorted(worst.items())), file=sys.stderr)
        print("  worst person: " + json.dumps(person), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
