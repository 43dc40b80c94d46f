// dorsalgia ask: the interview in the terminal. One question at a time, after the first dozen always the one that would
// tell most, and at any time the result.
//
// An interview is a list of steps. What is known is the person JSON that the steps add up to, read by the reader that
// `assess` uses: so a reply is judged by the same rules, undo drops the last step, the saved answers can be assessed
// again, and the order in which things were said cannot matter. "Not sure" is an answer: it stays unknown and is not
// asked again. Nothing is printed that is not flushed, so that a pipe, a terminal and a full disc are all noticed at once.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <set>

#include "cli/cli.h"
#include "person/read.h"
#include "report/report.h"
#include "report/telling.h"

namespace dorsalgia::cli {

namespace {

using nlohmann::json;

constexpr std::size_t kLongestReply = 200;
constexpr double kTellsLittle = 1e-4;  // bits about tumour and emergency together, per burden; below it the rest is not worth the time

const std::vector<std::string> kGate = {"weakness",           "bladder_dysfunction", "bowel_dysfunction",
                                        "saddle_anaesthesia", "any_cancer_history",  "fever"};

const std::set<std::string> kForChildren = {"refusal_to_walk"};  // never asked of an adult

const char* kHelp =
    "  y yes   n no   ? not sure (an answer too: it stays unknown and is not asked again)\n"
    "  s skip   u undo   w why this question   r result now   q quit   h this help\n";

// One thing to ask. `understand` turns a reply into JSON, or nothing when it is no answer to this question.
struct Item {
  std::string id;                  // unique within the interview
  std::vector<std::string> place;  // where the answer goes: {"findings", "weakness"}
  std::string text, choices, why;
  std::vector<std::pair<std::string, json>> trials;  // what could be answered, for `w`: ("yes", "present")
  std::function<std::optional<json>(const std::string&)> understand;
  json unsure;  // what "not sure" leaves in the saved answers
};

struct Step {
  Item item;
  std::optional<json> value;  // nothing: skipped
};

std::string lower(std::string s) {
  std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return s;
}

std::string trim(const std::string& s) {
  const auto from = s.find_first_not_of(" \t\r");
  return from == std::string::npos ? "" : s.substr(from, s.find_last_not_of(" \t\r") - from + 1);
}

std::vector<std::string> split(const std::string& s) {
  std::vector<std::string> out;
  for (std::size_t from = 0; from <= s.size();) {
    const std::size_t comma = std::min(s.find(',', from), s.size());
    if (const std::string word = trim(s.substr(from, comma - from)); !word.empty()) out.push_back(word);
    from = comma + 1;
  }
  return out;
}

// "68" is a number, everything else a word that the reader judges.
json number_or_word(const std::string& reply) {
  const json number = json::parse(reply, nullptr, false);
  return number.is_number() ? number : json(reply);
}

std::optional<json> yes_or_no(const std::string& reply) {
  if (reply == "y" || reply == "yes") return "present";
  if (reply == "n" || reply == "no") return "absent";
  return std::nullopt;
}

// "6", "4-8", "10 days", "3 months": weeks.
std::optional<json> weeks(const std::string& reply) {
  static const std::regex shape("([0-9]+(?:\\.[0-9]+)?)(?: ?- ?([0-9]+(?:\\.[0-9]+)?))? ?(d|days?|w|weeks?|m|months?|y|years?)?");
  std::smatch m;
  if (!std::regex_match(reply, m, shape)) return std::nullopt;
  const char unit = m[3].matched ? m[3].str()[0] : 'w';
  const double factor = unit == 'd' ? 1.0 / 7 : unit == 'm' ? 365.25 / 12 / 7 : unit == 'y' ? 365.25 / 7 : 1;
  const auto in_weeks = [&](const std::string& digits) { return std::round(std::stod(digits) * factor * 10) / 10; };
  if (!m[2].matched) return in_weeks(m[1]);
  return json::array({in_weeks(m[1]), in_weeks(m[2])});
}

class Interview {
 public:
  Interview(const Brain& brain, std::string profile, Voice voice, bool colour)
      : k_(brain.knowledge),
        m_(brain.model),
        engine_(*brain.engine),
        profile_(std::move(profile)),
        voice_(voice),
        colour_(colour),
        echo_(!isatty(STDIN_FILENO)) {
    look();
  }

  // false: the user quit.
  bool run() {
    say(fmt::format("One question at a time; r shows the result so far at any time.\n{}{}\n", kHelp,
                    k_.safety_net.not_excluded.empty() ? "" : "\n" + k_.safety_net.not_excluded + "\n"));
    while (const auto item = next()) {
      const Reply reply = ask(*item);
      if (reply == Reply::quit) return false;
      if (reply == Reply::result) return true;
    }
    say("\nThat is all that would tell much. The report lists what nobody has assessed.\n");
    return true;
  }

  Presentation person() const { return person_; }
  json answers() const { return sum(steps_); }

 private:
  enum class Reply { answered, result, quit };

  void say(const std::string& text) const { write_output("", text); }
  bool for_person() const { return voice_ == Voice::person; }
  bool child() const { return triage_.child; }
  std::string words(const char* clinician, const char* person) const { return for_person() ? person : clinician; }

  // ---- what is known

  static json sum(const std::vector<Step>& steps) {
    json out = json::object();
    for (const Step& s : steps) {
      if (!s.value) continue;
      json* at = &out;
      for (const auto& key : s.item.place) at = &(*at)[key];
      *at = *s.value;
    }
    return out;
  }

  struct View {
    Presentation person;
    Posterior posterior;
    Triage triage;
  };
  View view(const Presentation& person) const {
    View v{person, engine_.posterior(person), {}};
    v.triage = triage(k_, m_, person, profile_, &v.posterior);
    return v;
  }

  void look() {
    person_ = read_person(sum(steps_), k_, m_).person;
    View v = view(person_);
    posterior_ = std::move(v.posterior);
    triage_ = std::move(v.triage);
  }

  bool asked(const std::string& id) const {
    return std::any_of(steps_.begin(), steps_.end(), [&](const Step& s) { return s.item.id == id; });
  }
  bool said(const std::string& id, const json& value) const {
    return std::any_of(steps_.begin(), steps_.end(), [&](const Step& s) { return s.item.id == id && s.value == value; });
  }

  // ---- what to ask

  std::optional<Item> next() const {
    for (Item& item : opening())
      if (!asked(item.id)) return std::move(item);
    for (const auto& id : kGate) {
      if (id != "any_cancer_history") {
        if (const Finding* f = k_.finding(id); f && !asked(id)) return about(*f);
        continue;
      }
      for (Item& item : cancer())
        if (!asked(item.id)) return std::move(item);
    }
    return child() ? next_for_child() : most_informative();
  }

  std::vector<Item> opening() const {
    std::vector<Item> out(5);
    out[0] = {"age",
              {"age"},
              words("Age in years?", "How old are you, in years?"),
              "years",
              "How often each cause comes depends most on age; under 18 other rules apply.",
              {},
              number_or_word,
              nullptr};
    out[1] = {"sex",
              {"sex"},
              words("Sex at birth?", "What was your sex at birth?"),
              "m, f",
              "Rates of most causes, and what is normal in blood, differ by sex.",
              {{"male", "male"}, {"female", "female"}},
              [](const std::string& r) {
                return r == "m" || r == "f" || r == "male" || r == "female" ? std::optional<json>(r[0] == 'm' ? "male" : "female")
                                                                            : std::nullopt;
              },
              nullptr};
    Item& setting = out[2];
    setting = {"setting",
               {"setting"},
               words("Where is the person seen?", "Where are you being seen?"),
               "",
               "Dangerous causes are commoner among people seen in hospital.",
               {},
               {},
               nullptr};
    for (std::size_t s = 0; s < k_.population.settings.size(); ++s) {
      setting.choices += fmt::format("{}{} {}", s ? ", " : "", s + 1, k_.population.settings[s].name);
      setting.trials.emplace_back(k_.population.settings[s].name, k_.population.settings[s].id);
    }
    setting.understand = [this](const std::string& r) -> std::optional<json> {
      for (std::size_t s = 0; s < k_.population.settings.size(); ++s)
        if (r == std::to_string(s + 1)) return k_.population.settings[s].id;
      return r;
    };
    out[3] = {"duration",
              {"duration_weeks"},
              words("For how long has there been pain?", "For how long have you had this pain?"),
              "weeks; also 10 days, 3 months, 4-8",
              "A disc heals, a tumour grows: the same signs mean different things after a week and after half a year.",
              {},
              weeks,
              nullptr};
    out[4] = {"location",
              {"location"},
              words("Where is the pain?", "Where does it hurt?"),
              "neck, upper back, low back, sacral, flank, or a level such as T10; several with commas",
              "Causes prefer their levels: metastases the thoracic spine, discs the lumbar one.",
              {},
              {},
              nullptr};
    out[4].understand = [](const std::string& r) -> std::optional<json> {
      const auto places = split(r);
      return places.empty() ? std::nullopt : std::optional<json>(places);
    };
    return out;
  }

  std::vector<Item> cancer() const {
    std::vector<Item> out;
    out.push_back({"cancer",
                   {"context", "cancer_history"},
                   words("Any history of cancer, however long ago?", "Have you ever had cancer, even long ago?"),
                   "y, n, ?",
                   "",
                   {{"yes", true}, {"no", false}},
                   [](const std::string& r) -> std::optional<json> {
                     const auto answer = yes_or_no(r);
                     return answer ? std::optional<json>(*answer == "present") : std::nullopt;
                   },
                   nullptr});
    if (!said("cancer", true)) return out;
    out.push_back({"which_cancer",
                   {"context", "cancer_history"},
                   words("Which cancer?", "Which cancer was it?"),
                   "breast, lung, prostate, kidney, thyroid, bowel, melanoma, lymphoma, ...; several with commas",
                   "Breast, lung, prostate, kidney and thyroid cancer go to bone most often.",
                   {},
                   [](const std::string& r) -> std::optional<json> {
                     const auto names = split(r);
                     return names.empty() ? std::nullopt : std::optional<json>(names.size() == 1 ? json(names[0]) : json(names));
                   },
                   true});
    out.push_back({"years_since_cancer",
                   {"context", "years_since_cancer"},
                   words("How many years ago was it found?", "How many years ago was it found?"),
                   "years",
                   "The chance of spread falls with the years, at a pace that differs between cancers.",
                   {},
                   number_or_word,
                   nullptr});
    return out;
  }

  // A finding as a question; tests are asked for as results that may be known.
  Item about(const Finding& f) const {
    Item item;
    item.id = f.id;
    const bool measured = f.kind == FindingKind::measured;
    item.place = {f.kind == FindingKind::context ? "context" : measured ? "labs" : "findings", f.id};
    const bool costs_nothing = f.burden == "question" || f.burden == "examination";
    item.text = (costs_nothing ? "" : "If a result is known: ") + (for_person() ? f.ask_person : f.ask_clinician);
    item.unsure = "unknown";
    if (measured) {
      const ModelFinding& m = m_.findings[m_.finding(f.id)];
      const double usual = at_age(m.centre, person_.sex.value_or(Sex::female), person_.age.value_or(50));
      item.choices = fmt::format("a number with its unit, such as {:.2g} {}; or low, normal, raised; ? not known", usual, f.unit);
      for (const char* word : {"low", "normal", "raised"}) item.trials.emplace_back(word, word);
      item.understand = [](const std::string& r) -> std::optional<json> {
        return r == "y" || r == "n" || r == "yes" || r == "no" ? std::nullopt : std::optional<json>(number_or_word(r));
      };
      return item;
    }
    item.trials = {{"yes", "present"}, {"no", "absent"}};
    item.choices = "y, n, ?";
    const std::vector<std::string> grades = f.grades;
    for (std::size_t g = 1; g < grades.size(); ++g) item.choices += ", " + grades[g];
    item.understand = [grades](const std::string& r) -> std::optional<json> {
      if (std::find(grades.begin(), grades.end(), r) != grades.end()) return r;
      return yes_or_no(r);
    };
    return item;
  }

  std::optional<Item> most_informative() const {
    const Finding* test = nullptr;
    for (const Question& q : next_questions(engine_, k_, person_, m_.findings.size())) {
      const Finding& f = k_.findings[q.prospect.finding];
      // Which cancer it was has been asked as a whole.
      if (asked(f.id) || f.kind == FindingKind::history || kForChildren.count(f.id) || q.score < kTellsLittle) continue;
      if (f.burden == "question" || f.burden == "examination") return about(f);
      if (!test) test = &f;
    }
    return test ? std::optional<Item>(about(*test)) : std::nullopt;
  }

  // Children: what the rules still need, the most urgent first.
  std::optional<Item> next_for_child() const {
    std::vector<std::string> wanted = triage_.not_assessed;
    for (const Rule* r : triage_.unknown) collect(r->when, wanted);
    for (const auto& id : wanted)
      if (const Finding* f = k_.finding(id);
          f && !asked(id) && f->kind != FindingKind::history && f->burden != "record" && !person_.answer(m_.finding(id)))
        return about(*f);
    return std::nullopt;
  }

  void collect(const Condition& c, std::vector<std::string>& out) const {
    for (const Condition& part : c.of) collect(part, out);  // a definition stands for its parts
    if (c.of.empty() && (c.kind == Condition::Kind::finding || c.kind == Condition::Kind::measured)) out.push_back(c.id);
  }

  // ---- one question

  Reply ask(const Item& item) {
    say(fmt::format("\n{}\n", item.text));
    while (true) {
      say(fmt::format("  [{}] > ", item.choices));
      std::string line;
      if (!std::getline(std::cin, line)) {
        say("\n");
        return Reply::result;
      }
      line = trim(clean(line));
      const std::string reply = lower(line);
      if (echo_) say((line.size() > kLongestReply ? "..." : line) + "\n");
      if (reply == "q" || reply == "quit") return Reply::quit;
      if (reply == "r" || reply == "result") return Reply::result;
      if (reply == "h" || reply == "help") {
        say(kHelp);
      } else if (reply == "w" || reply == "why") {
        why(item);
      } else if (reply == "u" || reply == "undo") {
        undo();
        return Reply::answered;
      } else if (reply == "s" || reply == "skip") {
        steps_.push_back({item, std::nullopt});
        return Reply::answered;
      } else if (reply == "?" || reply == "unsure" || reply == "not sure" || reply == "unknown") {
        steps_.push_back({item, item.unsure});
        look();
        tell();
        return Reply::answered;
      } else if (take(item, reply)) {
        return Reply::answered;
      }
    }
  }

  bool take(const Item& item, const std::string& reply) {
    const auto value = reply.size() > kLongestReply ? std::nullopt : item.understand(reply);
    if (reply.empty() || !value) {
      say(fmt::format("  This is no answer here. Answer with: {}; s skips, h helps.\n", item.choices));
      return false;
    }
    steps_.push_back({item, value});
    const PersonRead read = read_person(sum(steps_), k_, m_);
    if (!read.faults.empty()) {
      steps_.pop_back();
      for (const PersonFault& f : read.faults) say("  " + clean(f.text()) + "\n");
      return false;
    }
    look();
    if (item.id == "location" || item.id == "which_cancer") understood(item);
    tell();
    return true;
  }

  void understood(const Item& item) const {
    std::string all;
    const auto add = [&](const std::string& word) { all += (all.empty() ? "" : ", ") + word; };
    if (item.id == "location")
      for (int i : person_.locations) add(m_.locations[i]);
    else
      for (const Answer& a : person_.answers)
        if (m_.findings[a.finding].shape == Shape::history && a.present()) add(k_.findings[a.finding].name);
    say("  understood as: " + all + "\n");
  }

  void undo() {
    if (steps_.empty()) return say("  There is nothing to undo.\n");
    steps_.pop_back();
    look();
    tell();
  }

  // ---- where things stand

  std::string paint(const std::string& text, Urgency u) const {
    if (!colour_ || u == Urgency::routine) return text;
    const char* code = u == Urgency::emergency ? "1;37;41" : u == Urgency::urgent ? "1;31" : "1;33";
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
  }

  static std::string shout(Urgency u) {
    std::string word = urgency_id(u);
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return fmt::format("{}: {}", word, urgency_phrase(u));
  }

  static std::string name_of(const Fired& f) { return f.rule ? f.rule->name : f.threshold->name; }

  void tell() {
    emergencies();
    const bool none = triage_.urgency == Urgency::routine;
    say(fmt::format(
        "  {}  {}\n",
        paint(none ? "[so far no rule asks for more than routine care]" : fmt::format("[{}]", shout(triage_.urgency)), triage_.urgency),
        chance()));
    if (!none && triage_.urgency != told_) say(fmt::format("  because: {}\n", name_of(triage_.fired.front())));
    told_ = triage_.urgency;
  }

  // Before anything else, once for each rule.
  void emergencies() {
    std::set<std::string> now;
    for (const Fired& f : triage_.fired) {
      if (f.urgency != Urgency::emergency) continue;
      const std::string id = f.rule ? f.rule->id : f.threshold->id;
      now.insert(id);
      if (announced_.count(id)) continue;
      say(fmt::format("\n  {}\n  {}.\n", paint("*** " + shout(Urgency::emergency) + " ***", Urgency::emergency), name_of(f)));
      if (f.rule) say(fmt::format("  {}\n", for_person() ? f.rule->action_person : f.rule->action_clinician));
      if (f.rule && f.rule->within_hours) say(fmt::format("  Within {:g} hours.\n", *f.rule->within_hours));
      if (const auto it = k_.safety_net.emergency_numbers.find(profile_); it != k_.safety_net.emergency_numbers.end() && for_person())
        say(fmt::format("  Emergency number: {}\n", it->second));
      say("  Do not wait for the end of the questions. r shows the result.\n\n");
    }
    announced_ = now;
  }

  // One denominator for the whole interview, chosen once age and sex are in.
  std::string chance() {
    if (child()) return "under 18: the rules for children only, no probabilities";
    if (!posterior_.possible) return "these answers exclude each other in the model; u takes the last one back";
    if (!person_.age || !person_.sex || !denominator_) denominator_ = common_denominator(posterior_.tumour);
    return fmt::format("tumour: {}", natural_frequency(posterior_.tumour, denominator_));
  }

  void why(const Item& item) const {
    if (!item.why.empty()) say("  " + item.why + "\n");
    if (const Finding* f = k_.finding(item.id)) say(fmt::format("  {} ({}).\n", f->name, f->group));
    if (item.trials.empty()) return;
    std::vector<std::pair<std::string, View>> outcomes;
    for (const auto& [word, value] : item.trials) {
      std::vector<Step> steps = steps_;
      steps.push_back({item, value});
      const PersonRead read = read_person(sum(steps), k_, m_);
      if (read.faults.empty()) outcomes.emplace_back(word, view(read.person));
    }
    double smallest = posterior_.tumour;
    for (const auto& o : outcomes) smallest = std::min(smallest, o.second.posterior.tumour);
    const int denominator = denominator_ ? denominator_ : common_denominator(smallest);
    for (const auto& [word, v] : outcomes) {
      std::string line = fmt::format("  If {}:", word);
      if (!v.triage.child && v.posterior.possible)
        line += fmt::format(" tumour {} -> {} in {}", count_of(posterior_.tumour, denominator), count_of(v.posterior.tumour, denominator),
                            grouped(denominator));
      if (v.triage.urgency != triage_.urgency)
        line += fmt::format("{} {}{}", line.back() == ':' ? "" : ";", shout(v.triage.urgency),
                            v.triage.fired.empty() ? "" : fmt::format(" ({})", name_of(v.triage.fired.front())));
      else if (v.triage.child) line += " no other urgency";
      say(line + "\n");
    }
  }

  const Knowledge& k_;
  const Model& m_;
  const ExactEngine& engine_;
  const std::string profile_;
  const Voice voice_;
  const bool colour_, echo_;
  std::vector<Step> steps_;
  Presentation person_;
  Posterior posterior_;
  Triage triage_;
  std::set<std::string> announced_;
  Urgency told_ = Urgency::routine;
  int denominator_ = 0;
};

}  // namespace

void add_ask(CLI::App& app, Shared& shared) {
  struct Options {
    std::string output, voice = "clinician", profile = "uk";
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("ask", "The interview: always the next most informative question, and at any time the result");
  command->add_option("--for", options->voice, "Questions and words for a clinician or for the person")
      ->check(CLI::IsMember({"clinician", "person"}))
      ->capture_default_str();
  command->add_option("--profile", options->profile, "Whose rules apply besides the common ones")
      ->check(CLI::IsMember({"uk", "us"}))
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "Save the answers to this file; dorsalgia assess reads it again")->type_name("FILE");
  command->callback([options, &shared] {
    if (options->output == "-") throw Stop(kBadInput, "-o needs a file: standard output holds the questions");
    const Brain& brain = shared.brain();
    const bool for_person = options->voice == "person";
    Interview interview(brain, options->profile, for_person ? Voice::person : Voice::clinician, shared.use_colour());
    if (!interview.run()) {
      write_output("", "Stopped. Nothing was saved.\n");
      return;
    }
    const Report report = make_report(brain.knowledge, *brain.engine, *brain.draws, interview.person(), options->profile);
    write_output("", "\n" + text_report(report, {shared.use_colour(), 100, for_person}));
    if (options->output.empty()) return;
    write_output(options->output, interview.answers().dump(2) + "\n");
    write_output("", fmt::format("\nThe answers are in {}; dorsalgia assess reads them again.\n", options->output));
  });
}

}  // namespace dorsalgia::cli
