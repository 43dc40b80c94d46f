"""Others on the same work: our network as exported (src/model/export.cpp), the same cases, the answers checked before any time is taken.

    peers.py FOLDER [--cases N]     FOLDER as `measure peers FOLDER COUNT` left it; prints one JSON object

Two questions: P(cause), and everything: causes, mechanisms, levels, cause with stage, emergency. Each library is used as its manual says is
best: pyAgrum with its targets set and one engine kept, of whose three exact algorithms the fastest one counts; pgmpy by variable elimination
in greedy order; bayesian-cpp by variable elimination with its orders cached. One thread, pinned, timed by what it ran; then a process for each core, by the
clock.

General engines take any network. Ours compiles a family, of which ours is one: on the public networks it cannot be asked.
"""

import argparse
import gzip
import importlib.metadata
import json
import logging
import multiprocessing
import os
import pathlib
import random
import resource
import sys
import time
import warnings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

import numpy as np
import pyagrum as gum

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tests" / "witness"))
import witness

MOST_MEMORY = 10 << 30  # a library that needs more cannot answer
PUBLIC = ["alarm", "hailfinder", "win95pts", "hepar2", "munin1"]


# ---- the libraries. ask(evidence, targets): evidence {node: number of its value}; a list of arrays, one a target


class PyAgrum:
    package = "pyagrum"

    def __init__(self, network, targets, algorithm="LazyPropagation"):
        self.name = f"pyAgrum {algorithm}"
        self.engine, self.targets = getattr(gum, algorithm)(network), None
        self.engine.setNumberOfThreads(1)
        self.aim(targets)

    def aim(self, targets):
        if targets != self.targets:
            self.engine.eraseAllTargets()
            for target in targets:
                self.engine.addTarget(target)
            self.targets = targets

    def ask(self, evidence, targets):
        self.aim(targets)
        self.engine.setEvidence(evidence)
        self.engine.makeInference()
        return [self.engine.posterior(t).toarray() for t in targets]


class Pgmpy:
    package = "pgmpy"

    def __init__(self, network, targets, order="greedy"):
        self.name, self.order = f"pgmpy VariableElimination, {order}", order
        from pgmpy.factors.discrete import TabularCPD
        from pgmpy.inference import VariableElimination
        from pgmpy.models import DiscreteBayesianNetwork

        self.labels = {network.variable(n).name(): list(network.variable(n).labels()) for n in network.nodes()}
        names = [network.variable(n).name() for n in network.nodes()]
        model = DiscreteBayesianNetwork()
        model.add_nodes_from(names)
        model.add_edges_from([(network.variable(a).name(), network.variable(b).name()) for a, b in network.arcs()])
        for name in names:
            table = network.cpt(name)
            parents = list(reversed(table.names[1:]))  # toarray() has the last parent first, the node itself last
            values = table.toarray().reshape(-1, len(self.labels[name])).T
            model.add_cpds(TabularCPD(name, len(self.labels[name]), values, parents or None, [len(self.labels[p]) for p in parents] or None,
                                      {v: self.labels[v] for v in (name, *parents)}))
        self.engine = VariableElimination(model)

    def ask(self, evidence, targets):
        said = {node: self.labels[node][value] for node, value in evidence.items()}
        out = []
        for target in targets:
            factor = self.engine.query([target], evidence=said, elimination_order=self.order, show_progress=False)
            order = [factor.get_state_no(target, label) for label in self.labels[target]]
            out.append(factor.values[order])
        return out


class BayesianCpp:
    package, name = "bayesian-cpp", "bayesian-cpp Inference"

    def __init__(self, network, targets):
        import bayesian

        self.of = {network.variable(n).name(): bayesian.Variable(n, network.variable(n).name(), network.variable(n).domainSize())
                   for n in network.nodes()}
        factors = []
        for name in self.of:
            table = network.cpt(name)
            factors.append(bayesian.Potential([self.of[v] for v in reversed(table.names)], table.toarray().ravel().tolist()))
        self.engine = bayesian.Inference(factors)

    def ask(self, evidence, targets):
        said = {self.of[node]: value for node, value in evidence.items()}
        return [np.array(self.engine.conditional_given([self.of[t]], said).probabilities()) for t in targets]


# ---- our network


def as_ours(found, targets, network, vocabulary):
    """Marginals of the network's nodes in the shape of our answer."""
    by = dict(zip(targets, found))
    out = {"causes": by["Cause"]}
    if len(targets) > 1:
        stages = [[0.0] * len(s) for s in vocabulary["stages"]]
        place = {(c, s): (i, k) for i, (c, of) in enumerate(zip(vocabulary["causes"], vocabulary["stages"])) for k, s in enumerate(of)}
        for value, label in zip(by["State"], network.variable("State").labels()):
            i, k = place[tuple(label.split("__")[:2])]
            stages[i][k] += value
        out |= {"levels": by["Level"], "emergency": by["Emergency"][1:], "stages": np.concatenate(stages),
                "tumour": [1 - by["Behaviour"][0]], "malignant": by["Behaviour"][2:],
                "mechanisms": [by["mechanism_" + m][1] for m in vocabulary["mechanisms"]]}
    return out


def flat(said, key):
    value = said[key]
    return np.concatenate([np.atleast_1d(v) for v in value]) if key == "stages" else np.atleast_1d(value)


def timed(engine, cases, targets):
    seconds = []
    for evidence in cases:
        begin = time.process_time()
        engine.ask(evidence, targets)
        seconds.append(time.process_time() - begin)
    return seconds


def summary(seconds):
    s = sorted(seconds)
    return {"cases": len(s), "mean_ms": 1e3 * sum(s) / len(s), "p50_ms": 1e3 * s[len(s) // 2], "p99_ms": 1e3 * s[int(0.99 * (len(s) - 1) + 0.5)]}


def affordable(engine, cases, targets, budget):
    """Of the cases those that fit into its memory and, together, into so many seconds; at least three, or the fault. And how many did not fit
    into the memory."""
    able, beyond, spent = [], 0, 0
    for evidence in cases:
        if len(able) >= 3 and spent >= budget:
            break
        try:
            spent += timed(engine, [evidence], targets)[0]
        except MemoryError:
            beyond += 1
            if beyond >= 3 and not able:
                raise
            continue
        able.append((evidence, len(able) + beyond))
    return able, beyond


def one_of_many(job):
    make, core, cases, targets, gate = job
    os.sched_setaffinity(0, {core})
    engine = make()
    engine.ask(cases[0], targets)
    gate.wait()
    begin = time.perf_counter()
    timed(engine, cases, targets)
    return begin, time.perf_counter()


def together(make, cases, targets):
    """Cases a second with a process for each core. Forked, so that the network is there already."""
    cores = sorted(ALL_CORES)
    context = multiprocessing.get_context("fork")
    gate, queue = context.Barrier(len(cores)), context.SimpleQueue()
    workers = [context.Process(target=lambda j=(make, c, cases, targets, gate): queue.put(one_of_many(j))) for c in cores]
    for w in workers:
        w.start()
    spans = [queue.get() for _ in workers]
    for w in workers:
        w.join()
    return len(cases) * len(cores) / (max(e for _, e in spans) - min(b for b, _ in spans))


def our_network(folder, count, budget, tell):
    vocabulary = json.loads((folder / "vocabulary.json").read_text())
    with open(folder / "cases.jsonl", encoding="utf-8") as file:
        lines = [json.loads(line) for line, _ in zip(file, range(count))]
    network = witness.load(str(folder / "network"))
    cases = [line["evidence"] for line in lines]
    everything = ["Cause", "State", "Level", "Emergency", "Behaviour"] + ["mechanism_" + m for m in vocabulary["mechanisms"]]
    out = {"nodes": network.size(), "numbers": int(sum(network.cpt(n).domainSize() for n in network.nodes())), "engines": []}
    makers = [lambda a=a: PyAgrum(network, ["Cause"], a) for a in ("LazyPropagation", "ShaferShenoyInference", "VariableElimination")]
    makers += [lambda o=o: Pgmpy(network, ["Cause"], o) for o in ("greedy", "MinFill")] + [lambda: BayesianCpp(network, ["Cause"])]
    for make in makers:
        begin = time.perf_counter()
        engine = make()
        row = {"name": engine.name, "version": importlib.metadata.version(engine.package), "load_ms": 1e3 * (time.perf_counter() - begin)}
        tell(f"{engine.name} on our network")
        out["engines"].append(row)
        for question, targets in (("causes", ["Cause"]), ("all", everything)):
            try:
                able, beyond = affordable(engine, cases, targets, budget)
            except (MemoryError, RuntimeError, ValueError) as fault:
                row[question] = {"fault": f"{type(fault).__name__}: {str(fault)[:160]}"}
                tell(f"{engine.name}, {question}: {row[question]['fault']}")
                continue
            worst = {"exact": 0.0, "batch": 0.0}
            checked = max(3, len(able) // 4)
            for evidence, number in able[:checked]:
                line = lines[number]
                heard = as_ours(engine.ask(evidence, targets), targets, network, vocabulary)
                for key in heard:
                    for ours in worst:
                        worst[ours] = max(worst[ours], float(np.max(np.abs(np.asarray(heard[key]) - flat(line[ours], key)))))
            mine = [evidence for evidence, _ in able]
            row[question] = {"worst": worst, "checked": checked, "beyond_memory": beyond, **summary(timed(engine, mine, targets))}
            if question == "causes":
                row[question]["all_cores_per_second"] = together(make, mine[: max(3, len(mine) // 2)], targets)
            tell(f"{engine.name}, {question}: {row[question]['mean_ms']:.2f} ms, {row[question]['cases']} cases, worst {worst}")
    return out


# ---- the usual public networks, as pgmpy's package ships them


def sampled(network, random_, ordered):
    said = {}
    for name in ordered:
        table = network.cpt(name)
        row = table.toarray()[tuple(said[p] for p in reversed(table.names[1:]))]
        said[name] = random_.choices(range(len(row)), weights=row)[0]
    return said


def public_network(name, count, budget, tell):
    import pgmpy

    packed = pathlib.Path(pgmpy.__file__).parent / "utils" / "example_models" / f"{name}.bif.gz"
    path = ALL_FOLDER / f"{name}.bif"
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    network = gum.loadBN(str(path))
    random_ = random.Random(1)
    ordered = [network.variable(n).name() for n in network.topologicalOrder()]
    cases = []
    for _ in range(count):
        said = sampled(network, random_, ordered)
        known = random_.sample(ordered, max(5, len(ordered) // 5))
        cases.append(({n: said[n] for n in known}, random_.choice([n for n in ordered if n not in known])))
    out = {"name": name, "nodes": network.size(), "evidence": len(cases[0][0]), "engines": []}
    reference = None
    for make in (lambda: PyAgrum(network, []), lambda: Pgmpy(network, []), lambda: BayesianCpp(network, [])):
        row = {"name": "?"}
        out["engines"].append(row)
        try:
            engine = make()
            row["name"] = engine.name
            seconds, worst, begin, answers = [], 0.0, time.perf_counter(), []
            for evidence, target in cases:
                at = time.process_time()
                answers.append(engine.ask(evidence, [target])[0])
                seconds.append(time.process_time() - at)
                if time.perf_counter() - begin > budget and len(seconds) >= 3:
                    break
            reference = reference or answers
            worst = max(float(np.max(np.abs(a - b))) for a, b in zip(answers, reference))
            row |= summary(seconds) | {"worst": worst}
        except Exception as fault:  # a library that gives up on a network is a result
            row["fault"] = f"{type(fault).__name__}: {str(fault)[:120]}"
        tell(f"{name}: {row}")
    return out


def main():
    global ALL_CORES, ALL_FOLDER
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=pathlib.Path)
    options.add_argument("--cases", type=int, default=1000)
    options.add_argument("--seconds", type=float, default=20, help="about how long each library may take for each question")
    o = options.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    ALL_CORES, ALL_FOLDER = os.sched_getaffinity(0), o.folder
    os.sched_setaffinity(0, {max(ALL_CORES)})

    def tell(what):
        print("  " + what, file=sys.stderr, flush=True)

    result = {"ours": our_network(o.folder, o.cases, o.seconds, tell), "public": [public_network(n, 100, o.seconds, tell) for n in PUBLIC]}
    result["python"] = sys.version.split()[0]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
