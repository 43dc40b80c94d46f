// dorsalgia evaluate: how well published cases with known truth are triaged, ranked and placed; of a simulated cohort, how
// well the probabilities discriminate, how true they are, and what acting on them would bring.
#include "evidence/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "cli/cli.h"
#include "cli/progress.h"
#include "evidence/cohort.h"
#include "report/reference.h"

namespace dorsalgia::cli {

using nlohmann::json;

namespace {

constexpr int kWidth = 100;
constexpr std::size_t kLargestCases = 256u << 20;

std::string share(const json& x) { return x.is_number() ? fmt::format("{:.1f}%", 100 * x.get<double>()) : "-"; }
std::string area(const json& x) { return x.is_number() ? fmt::format("{:.3f}", x.get<double>()) : "-"; }
std::string count(const json& x) { return fmt::format("{}", x.get<int>()); }

std::string words(const json& x) {
  if (x.is_string()) return x;
  std::vector<std::string> parts;
  for (const auto& part : x) parts.push_back(part);
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string table(const json& result, bool colour) {
  std::string out;
  const json& headline = result["headline"];
  auto bold = [&](const std::string& s) { return colour ? "\x1b[1m" + s + "\x1b[0m" : s; };
  auto head = [&](const std::string& title) {
    out += fmt::format("{}{}\n", out.empty() ? "" : "\n", bold(fmt::format("{:<56}{:>12}{:>12}", title, "headline", "all")));
  };
  auto line = [&](const std::string& label, const char* path, auto tell) {
    const json::json_pointer at(path);
    out += fmt::format("  {:<54}{:>12}{:>12}\n", label, tell(headline.at(at)), tell(result.at(at)));
  };
  head("Cases");
  line("scored", "/counts/cases", count);
  line("with a stated urgency", "/counts/urgency_scored", count);
  line("emergencies, not borderline", "/counts/emergencies_not_borderline", count);
  line("with a stated cause", "/counts/causes_scored", count);
  line("tumours among them", "/counts/tumours", count);
  line("children: probabilities withheld", "/counts/children_probabilities_withheld", count);
  line("with a level", "/counts/levels_scored", count);
  head("Urgency");
  line("emergencies called emergency", "/urgency/emergency_sensitivity", share);
  line("as stated, or next to it where borderline", "/urgency/agreement", share);
  line("less urgent than stated", "/urgency/under_triaged", share);
  line("more urgent than stated", "/urgency/over_triaged", share);
  head("Cause, every group equally common");
  line("group of causes ranked first", "/cause/top1", share);
  line("group of causes among the first three", "/cause/top3", share);
  line("tumour or not: area under the ROC curve", "/cause/tumour_auroc", area);
  head("Cause, with true base rates");
  line("group of causes ranked first", "/cause/with_base_rates/top1", share);
  line("group of causes among the first three", "/cause/with_base_rates/top3", share);
  line("tumour or not: area under the ROC curve", "/cause/with_base_rates/tumour_auroc", area);
  head("Level");
  line("likeliest level within two of the true one", "/level/within_two", share);
  out += "\nheadline: cases whose back pain and cause are stated and whose findings are more than thin.\n";
  return out;
}

std::string misses(const json& result, bool colour) {
  std::string out;
  std::vector<std::string> kinds;
  std::size_t width = 0;
  for (const auto& m : result["misses"]) {
    if (!std::count(kinds.begin(), kinds.end(), m["what"].get<std::string>())) kinds.push_back(m["what"]);
    width = std::min<std::size_t>(32, std::max(width, m["id"].get<std::string>().size()));
  }
  std::sort(kinds.begin(), kinds.end(),
            [](const auto& a, const auto& b) { return (a == "urgency") != (b == "urgency") ? a == "urgency" : a < b; });
  for (const auto& kind : kinds) {
    const std::string title =
        fmt::format("Missed: {} ({})", kind,
                    std::count_if(result["misses"].begin(), result["misses"].end(), [&](const auto& m) { return m["what"] == kind; }));
    out += fmt::format("\n{}\n", colour ? "\x1b[1m" + title + "\x1b[0m" : title);
    for (const auto& m : result["misses"])
      if (m["what"] == kind)
        out += fmt::format("  {:<{}}  {}\n", m["id"].get<std::string>(), width,
                           wrapped(fmt::format("expected {}, got {}; {}", words(m["expected"]), words(m["got"]), words(m["reason"])),
                                   kWidth, static_cast<int>(width) + 4));
  }
  if (!result["unknown_names"].empty()) {
    std::vector<std::string> names;
    for (const auto& [name, n] : result["unknown_names"].items())
      names.push_back(n == 1 ? name : fmt::format("{} ({})", name, n.get<int>()));
    out += fmt::format("\nNames that were not understood and not used:\n  {}\n",
                       wrapped(fmt::format("{}", fmt::join(names, ", ")), kWidth, 2));
  }
  return out;
}

struct Options {
  std::string file, profile = "uk", output;
  std::vector<std::string> without;
  unsigned threads = 0;
  bool json = false;
};

void tell_faults(const Options& o, const std::vector<CaseFault>& faults) {
  if (faults.empty()) return;
  std::string told;
  for (const auto& f : faults)
    told += fmt::format("{}{}:{}: {}", told.empty() ? "" : "\n", o.file == "-" ? "standard input" : o.file, f.line, f.text);
  throw Stop(kBadInput, told);
}

void run_cases(const Shared& shared, const Options& o, const std::string& lines) {
  const Brain& brain = shared.brain();
  if (!o.without.empty()) throw Stop(kBadInput, "--without: for simulated cohorts only; these are cases");
  std::vector<CaseFault> faults;
  json result;
  {
    Progress progress(static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n')) + (lines.back() != '\n'), "cases");
    result = evaluate(lines, brain.knowledge, *brain.engine, o.profile, faults, [&] { progress.add(1); });
  }
  const bool colour = shared.use_colour() && (o.output.empty() || o.output == "-");
  const std::string ending = fmt::format("\nModel {} ({}), profile {}.\n", result["model"]["version"].get<std::string>(),
                                         result["model"]["hash"].get<std::string>(), o.profile);
  write_output(o.output, o.json ? result.dump(2) + "\n" : table(result, colour) + misses(result, colour) + ending);
  tell_faults(o, faults);
}

// ---- simulated cohorts

std::string percent(const json& x) {
  if (!x.is_number()) return "-";
  const double p = 100 * x.get<double>();
  return p > 0 && p < 0.001 ? "<0.001%" : fmt::format("{:.3g}%", p);
}

std::string estimate(const json& x, int digits) {
  if (!x.is_object()) return "-";
  if (x["low"].is_null()) return fmt::format("{:.{}f} (no interval)", x["value"].get<double>(), digits);
  return fmt::format("{:.{}f} ({:.{}f} to {:.{}f})", x["value"].get<double>(), digits, x["low"].get<double>(), digits,
                     x["high"].get<double>(), digits);
}

std::string cohort_outcome(const std::string& title, const json& r, bool colour) {
  const auto bold = [&](const std::string& s) { return colour ? "\x1b[1m" + s + "\x1b[0m" : s; };
  std::string out = fmt::format("\n{}\n", bold(title));
  const auto line = [&](const char* label, const std::string& value) { out += fmt::format("  {:<62}{}\n", label, value); };
  const json& c = r["calibration"];
  const auto of_line = [&](const char* key) { return c.is_object() ? estimate(c[key], 2) : "-"; };
  line("people who have it", fmt::format("{}", r["people"].get<int>()));
  line("share, as it is and as predicted on average", percent(r["share"]) + " and " + percent(r["predicted"]));
  line("area under the ROC curve (95% interval)", estimate(r["auroc"], 3));
  line("calibration slope (1: as it should be; below: too extreme)", of_line("slope"));
  line("calibration intercept (0: as it should be)", of_line("intercept"));
  line("in the large, slope held at 1 (above 0: predicted too low)", of_line("offset"));
  line("Brier score, and with the same share told to everybody",
       fmt::format("{:.3g} and {:.3g}", r["brier"]["value"].get<double>(), r["brier"]["uninformed"].get<double>()));

  out += fmt::format("\n  {:<22}{:>12}{:>12}{:>24}{:>10}{:>8}\n", "tenth, by prediction", "predicted", "observed", "95%", "people", "with");
  int tenth = 0;
  for (const json& g : r["tenths"])
    out += fmt::format("  {:<22}{:>12}{:>12}{:>24}{:>10}{:>8}\n", ++tenth, percent(g["predicted"]), percent(g["observed"]),
                       percent(g["low"]) + " to " + percent(g["high"]), g["people"].get<int>(), g["with"].get<int>());

  // A few thresholds; the JSON has all.
  const std::vector<double> shown = {0.001, 0.003, 0.01, 0.03, 0.1, 0.3};
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < r["thresholds"].size(); ++i)
    if (std::count(shown.begin(), shown.end(), r["thresholds"][i].get<double>())) columns.push_back(i);
  out += fmt::format("\n  {:<30}{:>7}{:>7}{:>7}{:>7}  net benefit per 10,000 people at a threshold of\n", "", "", "sensi-", "speci-",
                     "cannot");
  out += fmt::format("  {:<30}{:>7}{:>7}{:>7}{:>7}", "scan", "scans", "tivity", "ficity", "tell");
  for (std::size_t i : columns) out += fmt::format("{:>8}", percent(r["thresholds"][i]));
  out += '\n';
  const auto benefits = [&](const json& values) {
    for (std::size_t i : columns) out += fmt::format("{:>8.1f}", 1e4 * values[i].get<double>());
    out += '\n';
  };
  for (const auto& [label, key] : {std::pair{"from the threshold on", "model"}, {"everybody", "all"}, {"nobody", "none"}}) {
    out += fmt::format("  {:<30}{:>28}", label, "");
    benefits(r["net_benefit"][key]);
  }
  const auto whole = [](const json& x) { return x.is_number() ? fmt::format("{:.0f}%", 100 * x.get<double>()) : std::string("-"); };
  for (const json& l : r["lists"]) {
    out += fmt::format("  {:<30}{:>7}{:>7}{:>7}{:>7}", l["id"].get<std::string>(), whole(l["acts"]), whole(l["sensitivity"]),
                       whole(l["specificity"]), whole(l["not_assessable"]));
    benefits(l["net_benefit"]);
  }
  return out;
}

std::string cohort_table(const json& result, bool colour) {
  std::string out = fmt::format("Simulated cohort: {} adults", result["people"].get<int>());
  if (const int n = result["children"]; n > 0) out += fmt::format("; {} children left out: no probability is given to them", n);
  if (const int n = result["impossible"]; n > 0) out += fmt::format("; {} left out whose answers exclude each other", n);
  out += ".\n";
  if (!result["without"].empty()) out += fmt::format("Taken as unknown: {}.\n", words(result["without"]));
  out += cohort_outcome("A tumour that causes the pain", result["outcomes"]["tumour"], colour);
  out += cohort_outcome("A malignant one", result["outcomes"]["malignant"], colour);
  out +=
      "\nNet benefit: people rightly scanned, less those scanned for nothing times the odds of the threshold. Red-flag lists: the parts\n"
      "that look for tumours, as written; those that cannot tell, for want of an answer, do not scan.\n"
      "The people were drawn from the model itself: this shows what it could do if it were true, not that it is true.\n";
  out += fmt::format("\nModel {} ({}).\n", result["model"]["version"].get<std::string>(), result["model"]["hash"].get<std::string>());
  return out;
}

void run_cohort(const Shared& shared, const Options& o, std::istream& lines, std::uint64_t people) {
  const Brain& brain = shared.brain();
  std::set<std::string> groups;
  for (const Finding& f : brain.knowledge.findings) groups.insert(f.group);
  for (const auto& group : o.without)
    if (!groups.count(group))
      throw Stop(kBadInput, fmt::format("--without: no group of findings is called '{}' ({})", group, fmt::join(groups, ", ")));
  std::vector<CaseFault> faults;
  json result;
  {
    Progress progress(people, "people");
    result =
        evaluate_cohort(lines, brain.knowledge, *brain.engine, {o.threads, o.without, [&](std::uint64_t n) { progress.add(n); }}, faults);
  }
  const bool colour = shared.use_colour() && (o.output.empty() || o.output == "-");
  if (result["people"] > 0) write_output(o.output, o.json ? result.dump(1) + "\n" : cohort_table(result, colour));
  tell_faults(o, faults);
  if (result["people"] == 0) throw Stop(kBadInput, fmt::format("{}: no adult in this cohort", o.file));
}

bool begins_as_cohort(std::istream& in) {
  std::string line;
  while (std::getline(in, line))
    if (line.find_first_not_of(" \t\r") != std::string::npos) return is_cohort_line(line);
  return false;
}

void run(const Shared& shared, const Options& o) {
  // Cohorts may be larger than memory: a file is read line by line.
  std::error_code error;
  if (o.file != "-" && std::filesystem::is_regular_file(o.file, error)) {
    std::ifstream in(o.file, std::ios::binary);
    if (in && begins_as_cohort(in)) {
      in.clear(), in.seekg(0);
      const auto people =
          static_cast<std::uint64_t>(std::count(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>(), '\n'));
      in.clear(), in.seekg(0);
      return run_cohort(shared, o, in, people);
    }
  }
  const std::string lines = read_input(o.file, kLargestCases);
  std::istringstream in(lines);
  if (!begins_as_cohort(in)) return run_cases(shared, o, lines);
  in.clear(), in.seekg(0);
  run_cohort(shared, o, in, static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n')));
}

}  // namespace

void add_evaluate(CLI::App& app, Shared& shared) {
  auto o = std::make_shared<Options>();
  auto* command = app.add_subcommand("evaluate", "Score a file of cases with known truth, or a simulated cohort, one JSON object a line");
  command->add_option("CASES", o->file, "The file (JSON Lines), - for standard input")->required();
  command->add_option("--profile", o->profile, "Cases: whose guidelines, uk or us")
      ->check(CLI::IsMember({"uk", "us"}))
      ->capture_default_str();
  command->add_option("--without", o->without, "Cohorts: take answers of these groups of findings as unknown: \"imaging,blood tests\"")
      ->delimiter(',')
      ->type_name("GROUP");
  command->add_option("--threads", o->threads, "Cohorts: 0: one a core")->check(CLI::Range(0U, 256U))->capture_default_str();
  command->add_option("-o,--output", o->output, "Write here instead of to standard output")->type_name("FILE");
  command->add_flag("--json", o->json, "As JSON");
  command->footer("A file of dorsalgia simulate is known by its \"weight\": then discrimination, calibration and net benefit are printed.");
  command->callback([&shared, o] { run(shared, *o); });
}

}  // namespace dorsalgia::cli
