#include "simulation/trial_pathway.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "knowledge/condition.h"

namespace dorsalgia {

namespace {

constexpr const char* kTests = "trials/tests.yaml";

int index_of(const Knowledge& k, const std::string& id) {
  for (std::size_t f = 0; f < k.findings.size(); ++f)
    if (k.findings[f].id == id) return static_cast<int>(f);
  return -1;
}

class TrialReader {
 public:
  TrialReader(const Knowledge& k, std::vector<Complaint>& complaints) : k_(k), complaints_(complaints) {}

  std::vector<TrialTest> tests(const std::string& file, const YAML::Node& root) {
    Reader r(root, file, "", complaints_);
    std::vector<TrialTest> out;
    for (auto& [id, test] : r.get("tests").entries()) {
      TrialTest t;
      t.id = id;
      t.name = test.get("name").text();
      t.consultation = test.has("consultation") && test.get("consultation").flag();
      t.mri = test.has("mri") && test.get("mri").flag();
      if (!t.consultation) t.gives = findings(test.get("gives"));
      if (test.has("shows_tumour")) t.shows_tumour = findings(test.get("shows_tumour"));
      for (int f : t.shows_tumour)
        if (!std::count(t.gives.begin(), t.gives.end(), f))
          test.fault(fmt::format("'{}' is not among what the test gives", k_.findings[f].id), "add it to 'gives'");
      for (const char* key : {"mri", "consultation", "shows_tumour"}) test.get(key, false);
      test.finish();
      out.push_back(t);
    }
    r.finish();
    return out;
  }

  TrialPathway pathway(const std::string& file, const YAML::Node& root, const std::vector<TrialTest>& tests) {
    Reader r(root, file, "", complaints_);
    TrialPathway p;
    p.file = file;
    p.id = r.get("id").text();
    if (!p.id.empty() && file != "trials/" + p.id + ".yaml")
      r.fault(fmt::format("id '{}' is not the file's name", p.id), "they must be the same");
    p.name = r.get("name").text();
    p.cite = citation(r);
    Reader visits = r.get("visits");
    p.return_weeks = number(visits.get("return_weeks"), p.return_cite);
    if (!(p.return_weeks >= 0.25)) visits.get("return_weeks").fault("people come back after a quarter of a week at the earliest");
    p.comes_back = number(visits.get("comes_back"), p.comes_back_cite);
    if (!(p.comes_back >= 0 && p.comes_back <= 1)) visits.get("comes_back").fault("a probability is between 0 and 1");
    p.comes_back_worse = p.comes_back;
    if (visits.has("comes_back_worse")) {
      p.comes_back_worse = number(visits.get("comes_back_worse"), p.comes_back_worse_cite);
      if (!(p.comes_back_worse >= 0 && p.comes_back_worse <= 1)) visits.get("comes_back_worse").fault("a probability is between 0 and 1");
    }
    if (visits.has("new_compression")) p.new_compression = wait(visits.get("new_compression"));
    for (const char* key : {"comes_back_worse", "new_compression"}) visits.get(key, false);
    visits.finish();
    bool named = false;
    std::set<int> asked;
    if (r.has("asks"))
      for (auto& item : r.get("asks").items()) {
        if (item.is_scalar() && item.text() == "named") {
          named = true;
          continue;
        }
        Condition c = condition(item);
        gather(c, asked);
      }
    for (auto& item : r.get("steps").items()) p.steps.push_back(step(item, tests));
    if (p.steps.empty()) r.fault("a pathway without a step");
    if (named)
      for (const TrialStep& s : p.steps) asked.insert(s.spoken_of.begin(), s.spoken_of.end());
    // What a test gives is not known from asking.
    for (int f : asked)
      if (k_.findings[f].kind != FindingKind::test && k_.findings[f].burden != "blood_test" && k_.findings[f].burden != "urine_test")
        p.asked.push_back(f);
    r.get("asks", false);
    r.finish();
    return p;
  }

 private:
  Citation citation(Reader& r) {
    Citation c;
    c.file = r.file(), c.line = r.line();
    const std::string word = r.get("status").text();
    bool known = false;
    for (Status s : {Status::checked, Status::secondary, Status::recalled, Status::judgement})
      if (word == status_name(s)) c.status = s, known = true;
    if (!known && !word.empty())
      r.get("status").fault(fmt::format("'{}' is not a status", word), "checked, secondary, recalled or judgement");
    c.source = r.get("source", false).text();
    c.where = r.get("where", false).text();
    c.why = r.get("why", false).text();
    c.note = r.get("note", false).text();
    if (!c.source.empty() && !k_.sources.count(c.source)) {
      std::vector<std::string> keys;
      for (const auto& [key, _] : k_.sources) keys.push_back(key);
      const std::string near = nearest_name(c.source, keys);
      r.get("source").fault(fmt::format("source '{}' is not known", c.source),
                            near.empty() ? "add it to sources/" : fmt::format("did you mean '{}'?", near));
    }
    if (c.status == Status::judgement && c.why.empty()) r.fault("a judgement says why", "add why: \"...\"");
    if (c.status != Status::judgement && c.source.empty())
      r.fault(fmt::format("a number that is {} names its source", word), "add source: ...");
    return c;
  }

  double number(Reader r, Citation& cite) {
    const double out = r.get("value").number();
    cite = citation(r);
    r.finish();
    return out;
  }

  Wait wait(Reader r) {
    Wait w;
    w.median = r.get("median").number();
    w.spread = r.get("spread").number();
    w.cite = citation(r);
    if (!(w.median >= 0)) r.fault("a wait is 0 weeks or more");
    if (!(w.spread >= 0 && w.spread <= 3)) r.fault("the spread (standard deviation of the logarithm) is between 0 and 3");
    r.finish();
    return w;
  }

  std::vector<int> findings(Reader r) {
    std::vector<int> out;
    for (auto& item : r.items()) {
      const std::string id = item.text();
      const int f = index_of(k_, id);
      if (f < 0) unknown(item, "finding", id, ids());
      else out.push_back(f);
    }
    return out;
  }

  Condition condition(Reader r) {
    Condition c = read_condition(r);
    resolve(k_, {&c}, complaints_);
    check(c, r);
    return c;
  }

  void check(const Condition& c, const Reader& r) {
    using Kind = Condition::Kind;
    if ((c.kind == Kind::finding && c.of.empty() && c.finding < 0) || (c.kind == Kind::measured && c.finding < 0)) {
      std::vector<std::string> known = ids();
      for (const auto& [name, _] : k_.definitions) known.push_back(name);
      unknown(r, "finding", c.id, known);
    } else if (c.finding >= 0 && (k_.findings[c.finding].kind == FindingKind::measured) != (c.kind == Kind::measured)) {
      r.fault(fmt::format("'{}' is {}", c.id, c.kind == Kind::measured ? "not a measured value" : "a measured value"),
              "a measured value needs {measured: {esr: {above: ...}}}");
    }
    for (const Condition& child : c.of) check(child, r);
  }

  // Every finding a condition speaks of.
  void gather(const Condition& c, std::set<int>& out) const {
    if (c.finding >= 0) out.insert(c.finding);
    if (c.kind == Condition::Kind::any_cancer_history)
      for (std::size_t f = 0; f < k_.findings.size(); ++f)
        if (k_.findings[f].kind == FindingKind::history) out.insert(static_cast<int>(f));
    for (const Condition& child : c.of) gather(child, out);
  }

  TrialStep step(Reader r, const std::vector<TrialTest>& tests) {
    TrialStep s;
    s.when = when(r.get("when"));
    std::set<int> spoken;
    if (s.when.condition) gather(*s.when.condition, spoken);
    for (const Condition& c : s.when.lists) gather(c, spoken);
    if (s.when.urgency)
      for (const Rule& rule : k_.rules)
        if (s.when.rules.empty() ? rule.profile == s.when.profile || rule.profile == "common"
                                 : std::count(s.when.rules.begin(), s.when.rules.end(), rule.id) > 0)
          gather(rule.when, spoken);
    s.spoken_of.assign(spoken.begin(), spoken.end());
    s.test = test(r.get("do"), tests);
    if (r.has("after")) s.after = test(r.get("after"), tests);
    s.wait = wait(r.get("wait_weeks"));
    if (r.has("again_after_weeks")) {
      s.again_after = r.get("again_after_weeks").number();
      if (!(*s.again_after >= 0.1)) r.get("again_after_weeks").fault("a test is repeated after a tenth of a week at the earliest");
    }
    for (const char* key : {"after", "again_after_weeks", "note"}) r.get(key, false);  // known, for the faults that finish() finds
    r.finish();
    return s;
  }

  int test(Reader r, const std::vector<TrialTest>& tests) {
    const std::string id = r.text();
    std::vector<std::string> known;
    for (std::size_t i = 0; i < tests.size(); ++i) {
      if (tests[i].id == id) return static_cast<int>(i);
      known.push_back(tests[i].id);
    }
    if (!id.empty()) unknown(r, "test", id, known);
    return -1;
  }

  TrialWhen when(Reader r) {
    TrialWhen w;
    if (r.is_scalar() && r.text() == "always") return w;
    if (!r.is_map()) {
      if (r.ok()) w.condition = condition(r);
      return w;
    }
    std::size_t others = Reader(r).entries().size();
    if (r.has("probability")) {
      --others;
      auto entries = r.get("probability").entries();
      if (entries.size() != 1)
        r.get("probability").fault("one of malignant, tumour or emergency", "probability: {malignant: {at_least: 0.03}}");
      for (auto& [quantity, limit] : entries) {
        w.probability.emplace();
        w.probability->quantity = quantity;
        if (quantity != "malignant" && quantity != "tumour" && quantity != "emergency")
          unknown(limit, "probability", quantity, {"malignant", "tumour", "emergency"});
        w.probability->at_least = limit.get("at_least").number();
        if (!(w.probability->at_least >= 0 && w.probability->at_least <= 1)) limit.fault("a probability is between 0 and 1");
        limit.finish();
      }
    }
    if (r.has("triage")) {
      --others;
      Reader t = r.get("triage");
      w.profile = t.get("profile").text();
      if (w.profile != "uk" && w.profile != "us" && !w.profile.empty()) unknown(t, "profile", w.profile, {"uk", "us"});
      const std::string word = t.get("at_least").text();
      w.urgency = urgency_of(word);
      if (word != urgency_id(*w.urgency)) unknown(t, "urgency", word, {"soon", "urgent", "emergency", "routine"});
      if (t.has("rules")) {
        std::vector<std::string> known;
        for (const Rule& rule : k_.rules)
          if (rule.profile == w.profile || rule.profile == "common") known.push_back(rule.id);
        for (auto& item : t.get("rules").items()) {
          w.rules.push_back(item.text());
          if (!std::count(known.begin(), known.end(), w.rules.back())) unknown(item, "rule", w.rules.back(), known);
        }
      }
      t.finish();
    }
    if (r.has("list")) {
      --others;
      Reader l = r.get("list");
      const std::string id = l.is_map() ? l.get("of").text() : l.text();
      const std::vector<std::string> parts = l.is_map() && l.has("parts") ? l.get("parts").texts() : std::vector<std::string>();
      if (l.is_map()) l.finish();
      std::vector<std::string> known;
      for (const Comparator& c : k_.comparators) {
        known.push_back(c.id);
        if (c.id != id) continue;
        std::vector<std::string> names;
        for (const auto& [name, list] : c.lists) {
          names.push_back(name);
          if (parts.empty() || std::count(parts.begin(), parts.end(), name)) w.lists.push_back(list);
        }
        for (const std::string& part : parts)
          if (!std::count(names.begin(), names.end(), part)) unknown(l, "part of " + id, part, names);
      }
      if (!std::count(known.begin(), known.end(), id)) unknown(l, "list", id, known);
    }
    if (others > 0) w.condition = condition(r);
    return w;
  }

  void unknown(const Reader& r, const std::string& what, const std::string& name, const std::vector<std::string>& known) const {
    const std::string near = nearest_name(name, known);
    r.fault(fmt::format("no {} is called '{}'", what, name), !near.empty()       ? fmt::format("did you mean '{}'?", near)
                                                             : known.size() < 12 ? fmt::format("known: {}", fmt::join(known, ", "))
                                                                                 : "see docs/trials.md");
  }

  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (const Finding& f : k_.findings) out.push_back(f.id);
    return out;
  }

  const Knowledge& k_;
  std::vector<Complaint>& complaints_;
};

}  // namespace

bool TrialPathway::needs_probability() const {
  return std::any_of(steps.begin(), steps.end(), [](const TrialStep& s) { return s.when.probability.has_value(); });
}

Trials read_trials(const KnowledgeFiles& files, const Knowledge& knowledge, std::vector<Complaint>& complaints) {
  Trials out;
  TrialReader reader(knowledge, complaints);
  const auto load = [&](const std::string& file, const std::string& text) -> std::optional<YAML::Node> {
    try {
      return YAML::Load(text);
    } catch (const YAML::Exception& e) {
      complaints.push_back({file, e.mark.line + 1, "not YAML: " + e.msg, "check indentation, quotes and brackets"});
      return std::nullopt;
    }
  };
  bool any = false;
  for (const auto& [file, _] : files) any = any || file.rfind("trials/", 0) == 0;
  if (!any) return out;
  const auto tests = files.find(kTests);
  if (tests == files.end()) {
    complaints.push_back({kTests, 1, "this file is missing", "it says what each test gives (docs/trials.md)"});
    return out;
  }
  if (const auto root = load(tests->first, tests->second)) out.tests = reader.tests(tests->first, *root);
  for (const auto& [file, text] : files) {
    if (file.rfind("trials/", 0) != 0 || file == kTests) continue;
    if (const auto root = load(file, text)) out.pathways.push_back(reader.pathway(file, *root, out.tests));
  }
  std::sort(out.pathways.begin(), out.pathways.end(), [](const TrialPathway& a, const TrialPathway& b) { return a.id < b.id; });
  return out;
}

}  // namespace dorsalgia
