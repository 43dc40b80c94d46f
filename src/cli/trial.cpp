// dorsalgia trial: pathways of care on the same virtual people.
#include "simulation/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/cli.h"
#include "cli/progress.h"

namespace dorsalgia::cli {

namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t kMostPeople = 5'000'000;  // fates of all are held in memory

struct Options {
  std::uint64_t people = 10000, seed = 1;
  std::vector<std::string> pathways;
  unsigned threads = 0;
  bool json = false, list = false;
  std::string output;
};

Trials trials_of(const Knowledge& knowledge) {
  std::vector<Complaint> complaints;
  Trials out = read_trials(knowledge.texts, knowledge, complaints);
  std::string all;
  for (const Complaint& c : complaints) all += c.text() + "\n";
  if (!complaints.empty()) throw Stop(kBadInput, all + fmt::format("{} fault(s) in the trials", complaints.size()));
  if (out.pathways.empty()) throw Stop(kBadInput, "no pathways: this knowledge folder has no trials/ (docs/trials.md)");
  return out;
}

std::vector<const TrialPathway*> chosen(const Trials& trials, const std::vector<std::string>& words) {
  std::vector<const TrialPathway*> out;
  std::vector<std::string> known;
  for (const TrialPathway& p : trials.pathways) known.push_back(p.id);
  if (words.empty())
    for (const TrialPathway& p : trials.pathways) out.push_back(&p);
  for (const std::string& word : words) {
    const auto at = std::find(known.begin(), known.end(), word);
    if (at == known.end()) {
      const std::string near = nearest_name(word, known);
      throw Stop(kBadInput, fmt::format("--pathway: no pathway is called '{}' ({})", word,
                                        near.empty() ? "dorsalgia trial --list" : fmt::format("did you mean '{}'?", near)));
    }
    const TrialPathway* p = &trials.pathways[static_cast<std::size_t>(at - known.begin())];
    if (std::count(out.begin(), out.end(), p)) throw Stop(kBadInput, fmt::format("--pathway: '{}' is given twice", word));
    out.push_back(p);
  }
  return out;
}

// In the unit and precision of the table.
std::string shown(Outcome o, double x) {
  if (std::isnan(x)) return "-";
  switch (o) {
    case Outcome::pain_to_diagnosis:
    case Outcome::visit_to_diagnosis: return std::isinf(x) ? ">52" : fmt::format("{:.1f}", x);
    case Outcome::walking:
    case Outcome::missed:
    case Outcome::compressed_before:
    case Outcome::compressed_thoracic: return fmt::format("{:.1f}%", 100 * x);
    case Outcome::found_per_thousand: return fmt::format("{:.1f}", x);
    case Outcome::visits: return fmt::format("{:.2f}", x);
    default: return fmt::format("{:.0f}", x);
  }
}

struct Column {
  Outcome outcome;
  const char *over, *under;  // its head, in two lines
};
constexpr std::array<Column, 7> kColumns = {{{Outcome::visit_to_diagnosis, "first visit to", "diagnosis"},
                                             {Outcome::pain_to_diagnosis, "first pain to", "diagnosis"},
                                             {Outcome::compressed_before, "compressed", "before that"},
                                             {Outcome::walking, "able to walk,", "if compressed"},
                                             {Outcome::missed, "missed", "at 1 year"},
                                             {Outcome::mri_per_thousand, "MRI per 1,000", "people"},
                                             {Outcome::found_per_thousand, "tumours per", "1,000 MRI"}}};

std::string table(const TrialResult& r, const Options& o) {
  std::size_t malignant = 0, widest = 0;
  for (const TrialPerson& p : r.people) malignant += p.malignant && p.spinal;
  for (const TrialArm& arm : r.arms) widest = std::max(widest, arm.pathway->id.size());
  std::string out = fmt::format(
      "{} adults at a first visit for back pain in primary care, {} of them with a malignant tumour of the spine (drawn more often\n"
      "than they come, and weighed back); the same people in every pathway, followed for 52 weeks. Seed {}.\n\n",
      r.people.size(), malignant, o.seed);
  std::string over(widest, ' '), under(widest, ' ');
  for (const Column& c : kColumns) over += fmt::format("{:>16}", c.over), under += fmt::format("{:>16}", c.under);
  out += over + "\n" + under + "\n";
  for (const TrialArm& arm : r.arms) {
    std::string values = fmt::format("{:<{}}", arm.pathway->id, widest), intervals(widest, ' ');
    for (const Column& c : kColumns) {
      const OutcomeEstimate& e = arm.outcomes[static_cast<std::size_t>(c.outcome)];
      values += fmt::format("{:>16}", shown(c.outcome, e.value));
      intervals +=
          fmt::format("{:>16}", std::isnan(e.value) ? "" : fmt::format("{} to {}", shown(c.outcome, e.low), shown(c.outcome, e.high)));
    }
    out += values + "\n" + intervals + "\n";
  }
  return out +
         "\nDelays are medians in weeks; they and the shares are those of malignant tumours of the spine. Who is not found within the "
         "year\n"
         "counts as later than all others. Compressed: cord or cauda equina under pressure before diagnosis (or in the year). Able to "
         "walk:\n"
         "of those compressed at diagnosis, without the sign unable_to_walk. Below each number its 95% interval from sampling alone; what\n"
         "the model itself does not know comes on top. What each pathway does: dorsalgia trial --list, docs/trials.md.\n";
}

ordered_json number(double x) { return std::isfinite(x) ? ordered_json(std::round(x * 1e6) / 1e6) : ordered_json(nullptr); }

std::string as_json(const TrialResult& r, const Options& o, const Model& m) {
  ordered_json out = {{"people", r.people.size()}, {"seed", o.seed}, {"model", m.hash}, {"version", m.version}, {"weeks", kTrialWeeks}};
  std::size_t malignant = 0, elsewhere = 0;
  double weight = 0, weight_malignant = 0, weight_elsewhere = 0;
  for (const TrialPerson& p : r.people) {
    malignant += p.malignant && p.spinal, elsewhere += p.malignant && !p.spinal;
    weight += p.weight, weight_malignant += p.weight * (p.malignant && p.spinal), weight_elsewhere += p.weight * (p.malignant && !p.spinal);
  }
  out["malignant_spinal"] = {{"people", malignant}, {"share_of_presentations", number(weight_malignant / weight)}};
  out["malignant_elsewhere"] = {{"people", elsewhere}, {"share_of_presentations", number(weight_elsewhere / weight)}};
  out["note"] = "null in a median: more than half were not found within the year";
  out["pathways"] = ordered_json::array();
  for (const TrialArm& arm : r.arms) {
    ordered_json a = {{"id", arm.pathway->id}, {"name", arm.pathway->name}};
    std::size_t compressed = 0;
    for (std::size_t i = 0; i < r.people.size(); ++i)
      compressed += r.people[i].malignant && r.people[i].spinal && arm.fates[i].compressed_at_diagnosis;
    a["compressed_at_diagnosis_people"] = compressed;
    for (int i = 0; i < kOutcomes; ++i) {
      const OutcomeEstimate& e = arm.outcomes[static_cast<std::size_t>(i)];
      a["outcomes"][outcome_id(static_cast<Outcome>(i))] = {{"value", number(e.value)}, {"low", number(e.low)}, {"high", number(e.high)}};
    }
    out["pathways"].push_back(a);
  }
  return out.dump(2) + "\n";
}

std::string listed(const Trials& trials, bool json) {
  if (json) {
    ordered_json out = ordered_json::array();
    for (const TrialPathway& p : trials.pathways)
      out.push_back({{"id", p.id}, {"name", p.name}, {"source", p.cite.source}, {"why", p.cite.why}, {"steps", p.steps.size()}});
    return out.dump(2) + "\n";
  }
  std::string out;
  for (const TrialPathway& p : trials.pathways) out += fmt::format("{:<24} {}\n", p.id, p.name);
  return out;
}

// To know at once, not after minutes.
void check_writable(const std::string& file) {
  if (file.empty() || file == "-") return;
  const std::string aside = file + ".part";
  std::FILE* out = std::filesystem::is_directory(file) ? nullptr : std::fopen(aside.c_str(), "wb");
  if (!out) throw Stop(kCannotWrite, fmt::format("{}: cannot be written", file));
  std::fclose(out);
  std::error_code ignored;
  std::filesystem::remove(aside, ignored);
}

void run(const Shared& shared, const Options& o) {
  const Trials trials = trials_of(shared.knowledge());
  if (o.list) {
    write_output(o.output, listed(trials, o.json));
    return;
  }
  const auto pathways = chosen(trials, o.pathways);
  check_writable(o.output);
  const Brain& brain = shared.brain();
  TrialOptions options;
  options.people = o.people, options.seed = o.seed;
  options.threads = o.threads ? o.threads : std::max(1U, std::thread::hardware_concurrency());
  TrialResult result;
  {
    Progress progress(o.people, "people");
    options.lived = [&](std::uint64_t n) { progress.add(n); };
    result = run_trial(brain.knowledge, *brain.engine, trials, pathways, options);
  }
  write_output(o.output, o.json ? as_json(result, o, brain.model) : table(result, o));
}

}  // namespace

void add_trial(CLI::App& app, Shared& shared) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("trial", "Pathways of care compared on the same virtual people: scans, delay, walking");
  command->add_option("--pathway", o->pathways, "One of --list; may be given several times or as a,b; without it, all")
      ->delimiter(',')
      ->type_name("NAME");
  command->add_option("--people", o->people, "How many adults; half of them have a tumour, and are weighed back")
      ->check(CLI::Range(std::uint64_t{100}, kMostPeople))
      ->capture_default_str();
  command->add_option("--seed", o->seed, "The same seed gives the same people and the same result, whatever --threads")
      ->capture_default_str();
  command->add_option("--threads", o->threads, "0: one a core")->check(CLI::Range(0U, 256U))->capture_default_str();
  command->add_flag("--json", o->json, "As JSON, with every outcome");
  command->add_flag("--list", o->list, "List the pathways");
  command->add_option("-o,--output", o->output, "Write here instead of to standard output")->type_name("FILE");
  command->footer(
      "Virtual people and their courses, not patients: what the table says holds as far as the model does. See docs/trials.md.");
  command->callback([o, &shared] { run(shared, *o); });
}

}  // namespace dorsalgia::cli
