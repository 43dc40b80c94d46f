// dorsalgia knowledge list | show | check | audit | export: what the program knows and where each number comes from.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/cli.h"
#include "evidence/study.h"
#include "model/export.h"
#include "model/influence.h"
#include "pathway/pathway.h"
#include "person/read.h"
#include "report/reference.h"
#include "simulation/trial_pathway.h"

namespace dorsalgia::cli {

using nlohmann::ordered_json;

namespace {

constexpr int kWidth = 100;

std::string bold(const std::string& s, bool colour) { return colour ? "\x1b[1m" + s + "\x1b[0m" : s; }

std::string counted(std::size_t n, const char* one, const char* many) { return fmt::format("{} {}", n, n == 1 ? one : many); }

// ---- list

// One thing of a kind: what a line of the list and an object of its JSON hold.
struct Item {
  std::string id, group, name, detail;
  ordered_json more = ordered_json::object();
};
using Items = std::vector<Item>;

Items list_causes(const Knowledge& k) {
  Items out;
  for (const auto& c : k.causes) {
    const char* behaviour = c.behaviour == Behaviour::malignant ? "malignant" : c.behaviour == Behaviour::benign ? "benign" : "";
    out.push_back({c.id,
                   c.group,
                   c.name,
                   fmt::format("{}{}{}", behaviour, c.emergency && *behaviour ? ", " : "", c.emergency ? "emergency" : ""),
                   {{"behaviour", *behaviour ? behaviour : "none"}, {"emergency", c.emergency}, {"course", c.course}}});
  }
  return out;
}

Items list_findings(const Knowledge& k) {
  const std::map<FindingKind, const char*> kinds = {{FindingKind::symptom, "symptom"}, {FindingKind::sign, "sign"},
                                                    {FindingKind::context, "context"}, {FindingKind::history, "history"},
                                                    {FindingKind::test, "test"},       {FindingKind::measured, "measured"}};
  Items out;
  for (const auto& f : k.findings) {
    std::string detail = kinds.at(f.kind);
    if (!f.unit.empty()) detail += ", " + f.unit;
    if (!f.grades.empty()) detail = fmt::format("{}: {}", detail, fmt::join(f.grades, " < "));
    out.push_back({f.id,
                   f.group,
                   f.name,
                   detail,
                   {{"kind", kinds.at(f.kind)},
                    {"burden", f.burden},
                    {"ask", {{"clinician", f.ask_clinician}, {"person", f.ask_person}}},
                    {"synonyms", f.synonyms}}});
    if (!f.unit.empty()) out.back().more["unit"] = f.unit;
    if (!f.grades.empty()) out.back().more["grades"] = f.grades;
  }
  return out;
}

Items list_mechanisms(const Knowledge& k) {
  Items out;
  for (const auto& m : k.mechanisms)
    out.push_back({m.id,
                   "",
                   m.name,
                   m.canal.empty() ? "" : fmt::format("only {}", fmt::join(m.canal, ", ")),
                   {{"describes", m.describes}, {"canal", m.canal}}});
  return out;
}

Items list_courses(const Knowledge& k) {
  Items out;
  for (const auto& c : k.courses) {
    std::vector<std::string> stages;
    for (const auto& s : c.stages) stages.push_back(s.id);
    const auto causes =
        static_cast<std::size_t>(std::count_if(k.causes.begin(), k.causes.end(), [&](const auto& x) { return x.course == c.id; }));
    out.push_back({c.id,
                   "",
                   c.name,
                   fmt::format("{}, {}", counted(stages.size(), "stage", "stages"), counted(causes, "cause", "causes")),
                   {{"stages", stages}, {"causes", causes}}});
  }
  return out;
}

Items list_levels(const Knowledge& k) {
  Items out;
  for (const auto& l : k.anatomy.levels) {
    std::vector<std::string> roots;
    for (const auto& r : l.roots) roots.push_back(r.first);
    const bool cord = !l.cord_segment.empty() && l.cord_segment != "null";
    std::string holds = l.canal == "none" ? "no canal" : l.canal + (cord ? ", segment " + l.cord_segment : "");
    out.push_back({l.id,
                   l.region,
                   holds,
                   roots.empty() ? "" : fmt::format("roots {}", fmt::join(roots, ", ")),
                   {{"canal", l.canal}, {"roots", roots}}});
    if (cord) out.back().more["cord_segment"] = l.cord_segment;
  }
  return out;
}

Items list_rules(const Knowledge& k) {
  Items out;
  for (const auto& r : k.rules)
    out.push_back({r.id,
                   r.profile,
                   r.name,
                   r.urgency,
                   {{"urgency", r.urgency}, {"applies", r.applies}, {"source", r.cite.source}, {"date_checked", r.date_checked}}});
  return out;
}

Items list_scores(const Knowledge& k) {
  Items out;
  for (const auto& s : k.scores)
    out.push_back({s.id,
                   "",
                   s.name,
                   s.aggregation == "category" ? "grade" : counted(s.items.size(), "item", "items"),
                   {{"aggregation", s.aggregation}, {"items", s.items.size()}, {"source", s.cite.source}}});
  return out;
}

Items list_sources(const Knowledge& k) {
  std::map<std::string, int> numbers, others;
  for (const auto& entry : all_numbers(k)) numbers[entry.cite.source] += entry.numbers;
  for (const auto& x : k.rules) ++others[x.cite.source];
  for (const auto& x : k.thresholds) ++others[x.cite.source];
  for (const auto& x : k.comparators) ++others[x.cite.source];
  for (const auto& x : k.scores) ++others[x.cite.source];
  Items out;
  for (const auto& [key, s] : k.sources) {
    std::vector<std::string> details;
    if (s.year) details.push_back(std::to_string(s.year));
    if (numbers[key]) details.push_back(counted(static_cast<std::size_t>(numbers[key]), "number", "numbers"));
    if (others[key]) details.push_back(counted(static_cast<std::size_t>(others[key]), "rule, list or score", "rules, lists and scores"));
    if (!numbers[key] && !others[key]) details.push_back("nothing rests on it");
    out.push_back({key,
                   s.kind,
                   s.title,
                   fmt::format("{}", fmt::join(details, ", ")),
                   {{"authors", s.authors},
                    {"year", s.year},
                    {"published", s.published},
                    {"doi", s.doi},
                    {"url", s.url},
                    {"numbers", numbers[key]},
                    {"rules_lists_scores", others[key]}}});
  }
  return out;
}

const std::vector<std::pair<std::string, Items (*)(const Knowledge&)>> kLists = {
    {"causes", list_causes}, {"findings", list_findings}, {"mechanisms", list_mechanisms}, {"courses", list_courses},
    {"levels", list_levels}, {"rules", list_rules},       {"scores", list_scores},         {"sources", list_sources}};

std::string list_text(const Items& items, bool colour) {
  std::vector<std::string> groups;
  std::size_t width = 0;
  for (const auto& i : items) {
    if (!std::count(groups.begin(), groups.end(), i.group)) groups.push_back(i.group);
    width = std::max(width, i.id.size());
  }
  std::string out;
  for (const auto& group : groups) {
    if (!group.empty()) out += fmt::format("{}{}\n", out.empty() ? "" : "\n", bold(group, colour));
    for (const auto& i : items) {
      if (i.group != group) continue;
      const int indent = static_cast<int>(width) + 4;
      out += fmt::format("  {:<{}}  {}\n", i.id, width, wrapped(i.name + (i.detail.empty() ? "" : " (" + i.detail + ")"), kWidth, indent));
    }
  }
  return out;
}

ordered_json list_json(const Items& items) {
  ordered_json out = ordered_json::array();
  for (const auto& i : items) {
    ordered_json j = {{"id", i.id}, {"name", i.name}};
    if (!i.group.empty()) j["group"] = i.group;
    j.update(i.more);
    out.push_back(std::move(j));
  }
  return out;
}

void list(const Shared& shared, const std::string& what, bool json) {
  const Knowledge& k = shared.knowledge();
  if (!what.empty()) {
    const auto it = std::find_if(kLists.begin(), kLists.end(), [&](const auto& l) { return l.first == what; });
    const Items items = it->second(k);
    return write_output("", json ? list_json(items).dump(2) + "\n" : list_text(items, shared.use_colour()));
  }
  if (json) {
    ordered_json all;
    for (const auto& [name, make] : kLists) all[name] = list_json(make(k));
    return write_output("", all.dump(2) + "\n");
  }
  std::string out;
  for (const auto& [name, make] : kLists) out += fmt::format("  {:<12}{:>5}\n", name, make(k).size());
  write_output("", out + "\nSee them with: dorsalgia knowledge list causes. One of them with: dorsalgia knowledge show ID\n");
}

// ---- show

void show(const Shared& shared, const std::string& id, bool json) {
  const Knowledge& k = shared.knowledge();
  const auto pages = reference_pages(k, compile(k), id);
  if (pages.empty()) {
    std::vector<std::string> names;
    for (const auto& n : all_pages(k)) names.push_back(n.id);
    for (const auto& f : k.findings) names.insert(names.end(), f.synonyms.begin(), f.synonyms.end());
    const auto slash = id.find('/');
    std::vector<std::string> near;  // the nearest, then the nearest of the rest
    while (near.size() < 3) {
      const std::string best = nearest_name(slash == std::string::npos ? id : id.substr(slash + 1), names);
      if (best.empty()) break;
      near.push_back(best);
      names.erase(std::remove(names.begin(), names.end(), best), names.end());
    }
    throw Stop(kBadInput, fmt::format("nothing is called '{}' ({})", id,
                                      near.empty() ? "dorsalgia knowledge list shows what is known"
                                                   : fmt::format("did you mean {}?", fmt::join(near, ", "))));
  }
  if (json) {
    ordered_json out = ordered_json::array();
    for (const auto& p : pages) out.push_back(json_page(p, k));
    return write_output("", (pages.size() == 1 ? out[0] : out).dump(2) + "\n");
  }
  std::string out;
  for (const auto& p : pages)
    out += (out.empty() ? "" : "\n" + std::string(kWidth, '=') + "\n\n") + text_page(p, k, kWidth, shared.use_colour());
  write_output("", out);
}

// ---- check

// In this order, each only when the one before found nothing: a file that cannot be read would else be blamed a second
// time for what the others miss in it.
std::vector<Complaint> complaints(Loaded& loaded) {
  if (!loaded.complaints.empty()) return loaded.complaints;
  if (auto found = check_knowledge(loaded.knowledge); !found.empty()) return found;
  std::vector<Complaint> apart;  // what stands beside the model: studies and pathways of trials
  read_studies(loaded.knowledge.texts, loaded.knowledge, apart);
  read_trials(loaded.knowledge.texts, loaded.knowledge, apart);
  if (!apart.empty()) return apart;
  const Model model = compile(loaded.knowledge);
  auto found = findings_without_influence(loaded.knowledge, model);
  for (const auto& line : failing_rule_tests(loaded.knowledge, model)) found.push_back({"", 0, line, ""});
  return found;
}

std::size_t files_in(const std::string& folder, const Knowledge& k) {
  if (folder.empty()) {  // built in: every file that some number or rule came from
    std::set<std::string> files = {"mechanisms.yaml", "vocabulary.yaml", "safety_net.yaml"};
    for (const auto& entry : all_numbers(k)) files.insert(entry.cite.file);
    for (const auto& r : k.rules) files.insert(r.file);
    for (const auto& c : k.comparators) files.insert(c.cite.file);
    for (const auto& s : k.scores) files.insert(s.cite.file);
    return files.size();
  }
  std::size_t n = 0;
  std::error_code error;
  for (auto it = std::filesystem::recursive_directory_iterator(folder, error);
       !error && it != std::filesystem::recursive_directory_iterator(); it.increment(error))
    n += it->is_regular_file() && it->path().extension() == ".yaml";
  return n;
}

void check(const std::string& folder) {
  Loaded loaded;
  if (folder.empty()) loaded.knowledge = builtin_knowledge();
  else loaded = load_knowledge_folder(folder);
  const auto found = complaints(loaded);
  std::string place = folder.empty() ? "knowledge" : folder;
  while (place.size() > 1 && place.back() == '/') place.pop_back();
  std::string out;
  for (const auto& c : found) {
    const bool whole_folder = c.file == folder && !folder.empty();
    out += fmt::format("{}{}\n", whole_folder ? "" : place + "/", c.file.empty() ? c.message : c.text());
  }
  if (!found.empty()) {
    write_output("", out);
    throw Stop(kBadInput, counted(found.size(), "fault", "faults") +
                              (loaded.complaints.empty() ? "" : "; what the numbers mean is checked once these are mended"));
  }
  std::size_t numbers = 0;
  for (const auto& entry : all_numbers(loaded.knowledge)) numbers += static_cast<std::size_t>(entry.numbers);
  write_output("", fmt::format("{}{}, {}: sound\n", folder.empty() ? "built in: " : "",
                               counted(files_in(folder, loaded.knowledge), "file", "files"), counted(numbers, "number", "numbers")));
}

// ---- audit

constexpr std::array<Status, 4> kStatuses = {Status::checked, Status::secondary, Status::recalled, Status::judgement};

using ByStatus = std::map<Status, int>;

ordered_json status_json(const ByStatus& counts) {
  ordered_json out;
  int total = 0;
  for (Status s : kStatuses) {
    const auto it = counts.find(s);
    out[status_name(s)] = it == counts.end() ? 0 : it->second;
    total += it == counts.end() ? 0 : it->second;
  }
  out["total"] = total;
  return out;
}

// The folder a file stands in: causes/metastasis; a file on top: population.yaml.
std::string folder_of(const std::string& file) {
  const auto slash = file.rfind('/');
  return slash == std::string::npos ? file : file.substr(0, slash);
}

ordered_json audit_json(const Knowledge& k) {
  ByStatus all;
  std::map<std::string, ByStatus> by_kind, by_folder;
  int without_why = 0, judgement_after_source = 0, judgements = 0;
  std::set<std::string> used;
  for (const auto& entry : all_numbers(k)) {
    const Citation& c = entry.cite;
    all[c.status] += entry.numbers;
    by_kind[entry.path.substr(0, entry.path.find_first_of(" :"))][c.status] += entry.numbers;
    by_folder[folder_of(c.file)][c.status] += entry.numbers;
    if (c.status == Status::judgement) {
      judgements += entry.numbers;
      if (c.why.empty()) without_why += entry.numbers;
      if (!c.source.empty()) judgement_after_source += entry.numbers;
    }
    used.insert(c.source);
  }
  ByStatus rules, lists, scores, thresholds;
  std::string oldest, newest;
  std::vector<std::string> oldest_rules;
  for (const auto& r : k.rules) {
    ++rules[r.cite.status];
    used.insert(r.cite.source);
    if (oldest.empty() || r.date_checked < oldest) oldest = r.date_checked, oldest_rules.clear();
    if (r.date_checked == oldest) oldest_rules.push_back(r.id);
    newest = std::max(newest, r.date_checked);
  }
  for (const auto& t : k.thresholds) ++thresholds[t.cite.status], used.insert(t.cite.source);
  for (const auto& c : k.comparators) ++lists[c.cite.status], used.insert(c.cite.source);
  for (const auto& s : k.scores) ++scores[s.cite.status], used.insert(s.cite.source);

  ordered_json out;
  out["numbers"] = status_json(all);
  for (const auto& [name, counts] : by_kind) out["numbers_by_kind"][name] = status_json(counts);
  for (const auto& [name, counts] : by_folder) out["numbers_by_folder"][name] = status_json(counts);
  out["judgements"] = {{"total", judgements}, {"that_lean_on_a_source", judgement_after_source}, {"without_why", without_why}};
  out["rules_and_scores"] = {{"rules", status_json(rules)},
                             {"thresholds", status_json(thresholds)},
                             {"red_flag_lists", status_json(lists)},
                             {"scores", status_json(scores)}};
  out["rules_last_compared"] = {{"oldest", oldest}, {"newest", newest}, {"oldest_rules", oldest_rules}};
  ordered_json unused = ordered_json::array();
  for (const auto& [key, s] : k.sources)
    if (!used.count(key)) unused.push_back(key);
  out["sources"] = {{"total", k.sources.size()}, {"unused", unused}};
  return out;
}

std::string audit_text(const ordered_json& a, bool colour) {
  std::string out;
  auto line = [&](const std::string& label, const ordered_json& counts) {
    const int total = counts["total"];
    out += fmt::format("  {:<28}{:>8}", label, total);
    for (Status s : kStatuses) {
      const int n = counts[status_name(s)];
      out += fmt::format("{:>9}{:>5}", n, total ? fmt::format("{:.0f}%", 100.0 * n / total) : "");
    }
    out += "\n";
  };
  auto head = [&](const std::string& title) {
    out += fmt::format(
        "{}{}\n", out.empty() ? "" : "\n",
        bold(fmt::format("{:<30}{:>8}{:>14}{:>14}{:>14}{:>14}", title, "all", "checked", "secondary", "recalled", "judgement"), colour));
  };
  head("Numbers");
  for (const auto& [name, counts] : a["numbers_by_kind"].items()) line(name, counts);
  line("all", a["numbers"]);
  head("Numbers by folder");
  for (const auto& [name, counts] : a["numbers_by_folder"].items()) line(name, counts);
  head("Rules, lists and scores");
  for (const auto& [name, counts] : a["rules_and_scores"].items()) {
    std::string words = name;
    std::replace(words.begin(), words.end(), '_', ' ');
    line(words, counts);
  }
  const auto& j = a["judgements"];
  out += fmt::format("\n{}\n  {} in all; {} lean on a source that does not give the number itself; {} without a reason\n",
                     bold("Judgements", colour), j["total"].get<int>(), j["that_lean_on_a_source"].get<int>(), j["without_why"].get<int>());
  const auto& dates = a["rules_last_compared"];
  out += fmt::format("\n{}\n  oldest {}, newest {}\n", bold("Rules last compared with their source", colour),
                     dates["oldest"].get<std::string>(), dates["newest"].get<std::string>());
  if (dates["oldest"] != dates["newest"])
    out +=
        "  " + wrapped(fmt::format("oldest: {}", fmt::join(dates["oldest_rules"].get<std::vector<std::string>>(), ", ")), kWidth, 2) + "\n";
  const auto unused = a["sources"]["unused"].get<std::vector<std::string>>();
  out += fmt::format("\n{}\n  {} in all; {} that nothing rests on{}\n", bold("Sources", colour), a["sources"]["total"].get<int>(),
                     unused.size(), unused.empty() ? "" : ":");
  if (!unused.empty()) out += "  " + wrapped(fmt::format("{}", fmt::join(unused, ", ")), kWidth, 2) + "\n";
  return out +
         "\nchecked: seen in the source. secondary: seen in what quotes it, or derived from checked figures.\n"
         "recalled: well known, not looked up again. judgement: an estimate, with its reason.\n";
}

// ---- export

void export_person(const Shared& shared, const std::string& format, const std::string& person_file, const std::string& output) {
  const Brain& brain = shared.brain();
  Presentation person;
  if (person_file.empty()) {
    person.age = 60;
    person.sex = Sex::female;
    fmt::print(stderr, "no --person: the tables are those of a woman of 60, setting and duration unknown\n");
  } else {
    PersonRead read = read_person(read_input(person_file, kLargestPerson), brain.knowledge, brain.model);
    std::string faults;
    for (const auto& f : read.faults) faults += fmt::format("{}{}: {}", faults.empty() ? "" : "\n", person_file, f.text());
    if (read.faults.empty() && (!read.person.age || !read.person.sex))
      faults = person_file + ": age and sex are needed, because they shape every table";
    if (!faults.empty()) throw Stop(kBadInput, faults);
    person = std::move(read.person);
  }
  const std::map<std::string, NetworkFormat> formats = {
      {"bif", NetworkFormat::bif}, {"xdsl", NetworkFormat::xdsl}, {"uai", NetworkFormat::uai}};
  write_output(output, export_network(brain.model, person, formats.at(format)));
}

}  // namespace

void add_knowledge(CLI::App& app, Shared& shared) {
  auto* knowledge = app.add_subcommand("knowledge", "What the program knows, and where every number comes from");
  knowledge->require_subcommand(1);

  struct Options {
    std::string what, id, folder, format, person, output;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  std::vector<std::string> kinds;
  for (const auto& l : kLists) kinds.push_back(l.first);

  auto* list_command = knowledge->add_subcommand("list", "List causes, findings, mechanisms, courses, levels, rules, scores or sources");
  list_command->add_option("KIND", options->what, "What to list; without it, how many there are of each")
      ->check([kinds](const std::string& word) {
        if (std::count(kinds.begin(), kinds.end(), word)) return std::string();
        const std::string near = nearest_name(word, kinds);
        return fmt::format("no list is called '{}' ({})", word,
                           near.empty() ? fmt::format("{}", fmt::join(kinds, ", ")) : fmt::format("did you mean '{}'?", near));
      });
  list_command->add_flag("--json", options->json, "As JSON");
  list_command->callback([&shared, options] { list(shared, options->what, options->json); });

  auto* show_command =
      knowledge->add_subcommand("show", "The reference page of one cause, finding, mechanism, course, level, rule, score or source");
  show_command->add_option("ID", options->id, "Its id, or kind/id where several kinds share one: finding/fever")->required();
  show_command->add_flag("--json", options->json, "As JSON");
  show_command->callback([&shared, options] { show(shared, options->id, options->json); });

  auto* check_command = knowledge->add_subcommand("check", "Check a knowledge folder: every fault with file and line");
  check_command->add_option("DIR", options->folder, "The folder; without it, that of --knowledge or the built-in one");
  check_command->callback([&shared, options] { check(options->folder.empty() ? shared.knowledge_dir : options->folder); });

  auto* audit_command = knowledge->add_subcommand("audit", "How well the numbers are founded: by status, folder and source");
  audit_command->add_flag("--json", options->json, "As JSON");
  audit_command->callback([&shared, options] {
    const auto audit = audit_json(shared.knowledge());
    write_output("", options->json ? audit.dump(2) + "\n" : audit_text(audit, shared.use_colour()));
  });

  auto* export_command = knowledge->add_subcommand("export", "The model of one person as a Bayesian network for other programs");
  export_command->add_option("--format", options->format, "bif, xdsl (GeNIe) or uai")
      ->required()
      ->check(CLI::IsMember({"bif", "xdsl", "uai"}));
  export_command
      ->add_option("--person", options->person, "Whose age, sex, setting and duration shape the tables (JSON, - for standard input)")
      ->type_name("FILE");
  export_command->add_option("-o,--output", options->output, "Write here instead of to standard output")->type_name("FILE");
  export_command->callback([&shared, options] { export_person(shared, options->format, options->person, options->output); });
}

}  // namespace dorsalgia::cli
