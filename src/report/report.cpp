#include "report/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

#include "inference/visits.h"
#include "report/telling.h"

namespace dorsalgia {

namespace {

constexpr std::size_t kCauses = 8, kMechanisms = 6, kStages = 4, kQuestions = 6, kChanges = 3;

// One thing that was said ("cancer_history: none") can be many answers. It is one reason, put back as a whole.
void join_reasons_said_at_once(const ExactEngine& engine, const Presentation& person, const Posterior& posterior,
                               std::vector<Reason>& all) {
  std::map<std::pair<std::string, std::vector<double>>, int> times;
  for (const Reason& r : all) ++times[{r.what, r.weeks}];
  std::vector<Reason> out;
  for (Reason& r : all) {
    if (times[{r.what, r.weeks}] > 1) {
      if (std::any_of(out.begin(), out.end(), [&](const Reason& o) { return o.what == r.what && o.weeks == r.weeks; })) continue;
      Presentation rest = person;
      const auto said = [&](const Answer& a) { return a.given == r.what; };
      if (r.weeks.empty() || std::count(r.weeks.begin(), r.weeks.end(), 0.0)) std::erase_if(rest.answers, said);
      for (Visit& v : rest.later)
        if (std::count(r.weeks.begin(), r.weeks.end(), v.weeks)) std::erase_if(v.answers, said);
      const Posterior without = engine.posterior(rest);
      r.tumour_decibans = decibans(posterior.tumour) - decibans(without.tumour);
      r.emergency_decibans = decibans(posterior.emergency) - decibans(without.emergency);
      r.finding = r.mechanism = -1;
      r.mechanism_share = 0;
    }
    out.push_back(std::move(r));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Reason& a, const Reason& b) { return std::abs(a.tumour_decibans) > std::abs(b.tumour_decibans); });
  all = std::move(out);
}

}  // namespace

Report make_report(const Knowledge& knowledge, const ExactEngine& engine, const ModelDraws& draws, const Presentation& person,
                   const std::string& profile, Depth depth) {
  Report out;
  out.knowledge = &knowledge;
  out.model = &engine.model();
  out.depth = depth;
  out.person = person;
  out.profile = profile;
  const bool child = triage(knowledge, engine.model(), person, profile, nullptr).child;
  if (!child) {
    if (!person.later.empty()) out.trajectory = trajectory(engine, person);
    out.posterior = person.later.empty() ? engine.posterior(person) : out.trajectory.back();
    Presentation unasked;
    unasked.age = person.age;
    unasked.sex = person.sex;
    unasked.setting = person.setting;
    out.before = engine.outcomes(unasked);
  }
  out.triage = triage(knowledge, engine.model(), person, profile, child ? nullptr : &out.posterior);
  // Of equal urgency the rule with the least time is told first, then the best founded; thresholds last.
  const auto rank = [](const Fired& f) {
    return std::tuple(-static_cast<int>(f.urgency), f.rule ? f.rule->within_hours.value_or(1e6) : 1e9,
                      f.rule ? f.rule->cite.status : f.threshold->cite.status);
  };
  std::stable_sort(out.triage.fired.begin(), out.triage.fired.end(), [&](const Fired& a, const Fired& b) { return rank(a) < rank(b); });
  out.intervals.causes.resize(knowledge.causes.size());
  if (depth == Depth::quick) return out;
  out.comparators = compare(knowledge, engine.model(), person);
  if (!child && out.posterior.possible) {
    out.reasons = reasons(engine, knowledge, person, out.posterior);
    join_reasons_said_at_once(engine, person, out.posterior, out.reasons);
    out.next = next_questions(engine, knowledge, person, kQuestions);
    out.fit = fit(engine, knowledge, person, out.posterior);
    out.intervals = draws.intervals(engine, person, out.posterior);
  }
  out.changes = smallest_changes(engine, knowledge, person, profile, out.triage);
  return out;
}

// ---- numbers in words

int common_denominator(double smallest_of_interest) { return smallest_of_interest * 1000 >= 0.95 ? 1000 : 10000; }

std::string grouped(long number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

namespace {

long two_digits(double x) {
  x = std::round(x * 1e6) / 1e6;  // so that 3.5 and what is left of 996.5 are the same number
  if (x < 99.5) return std::lround(x);
  const double unit = std::pow(10, std::floor(std::log10(x)) - 1);
  return std::lround(std::round(x / unit) * unit);
}

// Two digits of whichever side is the smaller, so that the have and the have-not add up to the denominator.
// -1: fewer than one; denominator + 1: more than all but one.
long people_of(double p, int denominator) {
  const double x = p * denominator;
  if (x < 0.95) return -1;
  if (denominator - x < 0.95) return denominator + 1;
  return x <= denominator / 2.0 ? two_digits(x) : denominator - two_digits(denominator - x);
}

std::string people_in_words(double p, int denominator) {
  const long n = people_of(p, denominator);
  return n < 0 ? "fewer than 1" : n > denominator ? "more than " + grouped(denominator - 1) : grouped(n);
}

}  // namespace

std::string count_of(double p, int denominator) {
  const long n = people_of(p, denominator);
  return n < 0 ? "<1" : n > denominator ? ">" + grouped(denominator - 1) : grouped(n);
}

std::string natural_frequency(double p, int denominator) { return people_in_words(p, denominator) + " in " + grouped(denominator); }

std::string clean(const std::string& text) {
  std::string out;
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned b = byte(i);
    const std::size_t n = b < 0x80 ? 1 : b >= 0xC2 && b < 0xE0 ? 2 : b >= 0xE0 && b < 0xF0 ? 3 : b >= 0xF0 && b < 0xF5 ? 4 : 0;
    unsigned c = n == 1 ? b : n ? b & (0xFFu >> (n + 1)) : 0;
    bool good = n > 0;
    for (std::size_t k = 1; k < n; ++k) {
      good = good && (byte(i + k) & 0xC0u) == 0x80u;
      c = c << 6 | (byte(i + k) & 0x3Fu);
    }
    if (n == 3 && (c < 0x800 || (c >= 0xD800 && c < 0xE000))) good = false;
    if (n == 4 && (c < 0x10000 || c > 0x10FFFF)) good = false;
    if (!good) {
      out += "\xEF\xBF\xBD";
      ++i;
      continue;
    }
    const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0),
               direction = (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
    if (control) out += ' ';
    else if (!direction) out.append(text, i, n);
    i += n;
  }
  return out;
}

std::vector<int> by_probability(const std::vector<double>& p) {
  std::vector<int> out(p.size());
  std::iota(out.begin(), out.end(), 0);
  std::stable_sort(out.begin(), out.end(), [&](int a, int b) { return p[a] > p[b]; });
  return out;
}

std::string withheld_because(const Report& r) {
  if (r.triage.child)
    return "Under 18: only rules made for children are used. The model is one of adults, so its probabilities are withheld.";
  if (!r.posterior.possible)
    return "In the model these answers exclude each other, so there are no probabilities. Check the answers; one of them is "
           "probably mistaken. The urgency above comes from the rules alone and stands.";
  return "";
}

std::string answer_name(const Finding& f, const ModelFinding& m, std::size_t grade) {
  static const std::vector<std::string> kMeasured = {"low", "normal", "raised"};
  static const std::vector<std::string> kHistory = {"never", "less than 1 year ago", "1 to 5 years ago", "5 to 10 years ago",
                                                    "10 or more years ago"};
  if (m.shape == Shape::measured && grade < kMeasured.size()) return kMeasured[grade];
  if (m.shape == Shape::history && grade < kHistory.size()) return kHistory[grade];
  if (grade < f.grades.size()) return f.grades[grade];
  return grade ? "yes" : "no";
}

std::string signed_decibans(double d) { return std::abs(d) < 0.05 ? "0.0" : fmt::format("{:+.1f}", d); }

std::string how_much(const std::string& words) { return words.rfind("pushes ", 0) == 0 ? words.substr(words.find(' ', 7) + 1) : "hardly"; }

std::string because_name(const Knowledge& k, const std::string& id) {
  for (const Rule& r : k.rules)
    if (r.id == id) return r.name;
  for (const Threshold& t : k.thresholds)
    if (t.id == id) return t.name;
  return id;
}

// ---- the telling

namespace {

std::string replace_all(std::string s, char from, char to) {
  std::replace(s.begin(), s.end(), from, to);
  return s;
}

std::string capital(std::string s) {
  if (!s.empty()) s[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(s[0])));
  return s;
}

std::string in_time(std::optional<double> hours) {
  if (!hours) return "";
  const double h = *hours;
  if (h >= 336 && std::fmod(h, 168) == 0) return fmt::format("within {:g} weeks", h / 168);
  if (h >= 48 && std::fmod(h, 24) == 0) return fmt::format("within {:g} days", h / 24);
  return fmt::format("within {:g} hour{}", h, h == 1 ? "" : "s");
}

std::string grade_of(Status status) {
  switch (status) {
    case Status::checked: return "checked in the source";
    case Status::secondary: return "read through a summary of the source, or with our wording of its terms";
    case Status::recalled: return "recalled, not looked up again";
    case Status::judgement: return "our judgement, no published rule";
  }
  return "";
}

std::string without_stop(std::string s) {
  while (!s.empty() && (s.back() == '.' || s.back() == ' ')) s.pop_back();
  return s;
}

// Closed list of groups (docs/knowledge.md) in the words of people who are not clinicians.
std::string plain_group(const std::string& group) {
  static const std::map<std::string, std::string> kPlain = {
      {"metastasis", "cancer that has spread to the spine"},
      {"myeloma/plasmacytoma", "a cancer of the bone marrow (myeloma)"},
      {"lymphoma/leukaemia", "a cancer of blood or lymph glands"},
      {"primary bone tumour, malignant", "a cancer that began in the bone"},
      {"primary bone tumour, benign", "a growth in the bone that is not cancer"},
      {"nerve sheath tumour", "a growth on a nerve"},
      {"meningioma", "a growth on the lining of the spinal cord"},
      {"intramedullary/ependymal tumour", "a growth in the spinal cord"},
      {"visceral/retroperitoneal tumour", "a growth in the belly, pelvis or chest"},
      {"spinal infection", "an infection in the spine"},
      {"fracture", "a broken bone in the spine"},
      {"aortic", "trouble with the main artery (aorta)"},
      {"spinal epidural haematoma", "bleeding inside the spine"},
      {"cauda equina (disc)", "a slipped disc that presses on the nerves of bladder and legs"},
      {"disc herniation", "a slipped disc"},
      {"spinal stenosis", "narrowing of the spine through wear"},
      {"spondylolysis", "a small stress break or a slipped bone in the low back"},
      {"axial spondyloarthritis", "inflammation of the spine (arthritis)"},
      {"nonspecific", "strain, or wear of discs and joints"},
      {"urological", "kidney or urine trouble"},
      {"other visceral", "pain from another organ"}};
  const auto it = kPlain.find(group);
  return it == kPlain.end() ? group : it->second;
}

std::string push_words(double decibans) {
  const double size = std::abs(decibans);
  if (size < 1) return "hardly counts";
  return fmt::format("pushes {} {}", decibans > 0 ? "up" : "down", size < 5 ? "a little" : "a lot");
}

std::string list_of(const std::vector<std::string>& all, std::size_t most, const char* last = "or") {
  if (all.size() == 1) return all[0];
  if (all.size() > most)
    return fmt::format("{} {} {} more", fmt::join(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(most), ", "), last,
                       all.size() - most);
  return fmt::format("{} {} {}", fmt::join(all.begin(), all.end() - 1, ", "), last, all.back());
}

class Teller {
 public:
  Teller(const Report& report, Voice voice)
      : r_(report), k_(*report.knowledge), m_(*report.model), all_(at_last_visit(report.person)), person_voice_(voice == Voice::person) {
    out_.voice = voice;
  }

  Told tell() {
    out_.child = r_.triage.child;
    out_.id = clean(r_.person.id);
    out_.person = who();
    out_.withheld = withheld_because(r_);
    const bool numbers = out_.withheld.empty();
    if (numbers) {
      const double smallest = std::min({r_.posterior.tumour, r_.before.tumour, r_.posterior.malignant});
      out_.denominator = common_denominator(smallest);
    }
    out_.of = "of " + grouped(out_.denominator);
    urgency();
    not_assessed();
    if (numbers) {
      probability();
      visits();
      causes();
      mechanisms();
      levels();
      stages();
      forecast();
      reasons();
      next();
      if (r_.fit.poor)
        out_.poor_fit = fmt::format(
            "These answers go together badly in the model: it knows few people like this one, or an answer is mistaken{}. Trust the "
            "numbers less; the rules are not affected.",
            r_.fit.least_expected.empty() ? std::string()
                                          : fmt::format(". The answer that fits the others least: {}", said(r_.fit.least_expected)));
    }
    changes();
    comparators();
    for (const auto& n : r_.person.noted) out_.noted.push_back(clean(n));
    for (const auto& n : r_.person.unread) out_.unread.push_back(clean(n));
    out_.safety_net = person_voice_ ? k_.safety_net.person : k_.safety_net.clinician;
    if (const auto it = k_.safety_net.emergency_numbers.find(r_.profile); it != k_.safety_net.emergency_numbers.end())
      out_.emergency_number = it->second;
    out_.not_excluded = k_.safety_net.not_excluded;
    out_.intended_use = k_.safety_net.intended_use;
    out_.model = fmt::format("Dorsalgia {}, knowledge and model {}, rules of profile {}", m_.version, m_.hash, r_.profile);
    return std::move(out_);
  }

 private:
  std::string count(double p) const { return count_of(p, out_.denominator); }
  ToldShare share(const std::string& name, double p, const std::string& note = "", bool tumour = false) const {
    return {name, note, p, count(p), "", tumour};
  }
  std::string range(const Interval& i) const {
    const std::string low = count(i.low), high = count(i.high);
    return low == high ? low : low + " to " + high;
  }
  ToldShare cause_share(int c, const std::vector<double>& p) const {
    ToldShare out = share(k_.causes[c].name, p[c], k_.causes[c].group, m_.is_tumour(c));
    out.range = range(r_.intervals.causes[c]);
    return out;
  }

  std::string about(double p) const {
    const long n = people_of(p, out_.denominator);
    return (n < 0 || n > out_.denominator ? "" : "about ") + people_in_words(p, out_.denominator);
  }

  std::string weeks() const {
    const auto& w = *r_.person.weeks;
    if (w[0] == w[1]) return fmt::format("pain for {:.3g} week{}", w[0], w[0] == 1 ? "" : "s");
    if (std::isinf(w[1])) return fmt::format("pain for {:.3g} weeks or more", w[0]);
    return fmt::format("pain for {:.3g} to {:.3g} weeks", w[0], w[1]);
  }
  std::string where() const {
    std::vector<std::string> all;
    for (int i : all_.locations) all.push_back(m_.locations[i]);
    return list_of(all, 9);
  }
  std::string setting() const {
    const int s = r_.person.setting;
    return static_cast<std::size_t>(s) < k_.population.settings.size() ? k_.population.settings[s].name : m_.settings[s];
  }

  std::string who() {
    std::vector<std::string> parts;
    const Presentation& p = r_.person;
    std::string first = p.sex        ? (*p.sex == Sex::male ? (out_.child ? "boy" : "man") : (out_.child ? "girl" : "woman"))
                        : out_.child ? "child"
                                     : "adult";
    if (!p.sex) first += ", sex not given";
    first += p.age ? fmt::format(", {:.3g}", *p.age) : ", age not given";
    parts.push_back(first);
    if (p.weeks) parts.push_back(weeks() + (p.later.empty() ? "" : " at the first visit"));
    if (!p.later.empty()) parts.push_back(fmt::format("seen {} times, last at week {:.3g}", p.later.size() + 1, p.later.back().weeks));
    if (!all_.locations.empty()) parts.push_back("felt " + where());
    if (p.setting >= 0) parts.push_back(setting());
    if (!p.age) out_.not_entered.push_back("age (taken as an adult's, averaged over ages)");
    if (!p.sex) out_.not_entered.push_back("sex");
    if (!p.weeks) out_.not_entered.push_back("how long the pain has lasted");
    if (all_.locations.empty()) out_.not_entered.push_back("where it hurts");
    return fmt::format("{}", fmt::join(parts, " · "));
  }

  void source(const Citation& cite, ToldRule& out) const {
    const auto it = k_.sources.find(cite.source);
    if (it != k_.sources.end()) {
      const Source& s = it->second;
      const std::string year = s.year && s.published.find(std::to_string(s.year)) == std::string::npos ? fmt::format(" ({})", s.year) : "";
      out.short_source = (s.published.empty() ? s.authors : s.published) + year;
      out.source = fmt::format("{}. {}", without_stop(s.title), out.short_source);
      if (s.kind != "guideline" && !s.authors.empty()) out.short_source = s.authors + ", " + out.short_source;
    }
    out.grade = grade_of(cite.status);
    out.why = cite.why;
  }

  ToldRule rule(const Fired& f) const {
    ToldRule out;
    out.urgency = f.urgency;
    if (f.rule) {
      const Rule& x = *f.rule;
      source(x.cite, out);
      out.name = x.name;
      out.action = person_voice_ && !x.action_person.empty() ? x.action_person : x.action_clinician;
      out.limit = in_time(x.within_hours);
      out.recommendation = x.recommendation;
      out.checked = x.date_checked;
    } else if (f.threshold) {
      const Threshold& x = *f.threshold;
      source(x.cite, out);
      out.name = x.name;
      out.action = person_voice_
                       ? fmt::format("The worked-out chance calls for a doctor {}.", urgency_phrase(f.urgency))
                       : fmt::format("The probability asks for assessment {}; which tests is for you to judge.", urgency_phrase(f.urgency));
      out.limit = urgency_phrase(f.urgency);
      out.recommendation = x.recommendation;
      out.value = fmt::format("{} {} now; the threshold is {}",
                              x.quantity == "malignant" ? "cancer:"
                              : x.quantity == "tumour"  ? "any tumour:"
                                                        : "emergency:",
                              natural_frequency(f.probability, out_.denominator), natural_frequency(x.at_least, out_.denominator));
    }
    return out;
  }

  void urgency() {
    out_.urgency = r_.triage.urgency;
    for (const Fired& f : r_.triage.fired) {
      // Three in ten for cancer says all that three in a hundred would say.
      const bool said =
          f.threshold && std::any_of(r_.triage.fired.begin(), r_.triage.fired.end(), [&](const Fired& o) {
            return o.threshold && o.threshold->quantity == f.threshold->quantity && o.threshold->at_least > f.threshold->at_least;
          });
      if (!said) out_.rules.push_back(rule(f));
    }
    const bool open = !r_.triage.not_assessed.empty() || !r_.triage.unknown.empty();
    if (out_.urgency == Urgency::routine) {
      out_.urgency_title = open ? "No rule has asked for more than routine care so far, and key answers are missing"
                                : "No rule asks for more than routine care";
      out_.action = person_voice_
                        ? "None of the rules asks for quick action from what was told so far. That does not rule out a serious cause. "
                          "Watch for the signs listed under 'When to get help'."
                        : "Agree a date for review, and ask what is still open. A tumour is not ruled out by this.";
    } else {
      out_.urgency_title = capital(urgency_phrase(out_.urgency));
      if (!out_.rules.empty()) out_.action = out_.rules.front().action;
    }
  }

  void not_assessed() {
    // What most of the open emergency rules wait for comes first.
    std::map<std::string, int> waiting = {{"any_cancer_history", 1000}};
    for (const Rule* x : r_.triage.unknown)
      if (urgency_of(x->urgency) == Urgency::emergency)
        for (const std::string& id : x->needs) ++waiting[id];
    std::vector<std::pair<int, std::string>> by_waiting;
    for (const std::string& id : r_.triage.not_assessed) by_waiting.emplace_back(waiting[id], id);
    std::stable_sort(by_waiting.begin(), by_waiting.end(), [](const auto& x, const auto& y) { return x.first > y.first; });
    std::vector<std::string> order;
    for (auto& [rules_waiting, id] : by_waiting) order.push_back(std::move(id));
    const std::size_t most = person_voice_ ? 8 : 14;
    if (order.size() > most + 1) {
      out_.not_assessed_more = order.size() - most;
      order.resize(most);
    }
    for (const auto& id : order) {
      if (id == "any_cancer_history") {
        out_.not_assessed.push_back(person_voice_ ? "Have you ever had cancer, however long ago?" : "any cancer, ever");
        continue;
      }
      const Finding* f = k_.finding(id);
      if (!f) out_.not_assessed.push_back(replace_all(id, '_', ' '));
      else out_.not_assessed.push_back(person_voice_ ? f->ask_person : f->name);
    }
    std::map<Urgency, std::vector<std::string>, std::greater<>> rules;
    for (const Rule* x : r_.triage.unknown) rules[urgency_of(x->urgency)].push_back(x->name);
    std::vector<std::string> parts;
    for (const auto& [u, names] : rules)
      parts.push_back(person_voice_ ? std::string(urgency_phrase(u))
                                    : fmt::format("{} ({} rule{} open: {})", urgency_phrase(u), names.size(), names.size() == 1 ? "" : "s",
                                                  list_of(names, 3, "and")));
    if (!parts.empty()) out_.could_become = fmt::format("{}", fmt::join(parts, person_voice_ ? " or " : "; "));
  }

  void probability() {
    const Posterior& p = r_.posterior;
    const int d = out_.denominator;
    out_.tumour = p.tumour;
    out_.malignant = p.malignant;
    out_.tumour_count = count(p.tumour);
    out_.malignant_count = count(p.malignant);
    out_.emergency_count = count(p.emergency);
    out_.answer =
        person_voice_
            ? fmt::format(
                  "Think of {} people with answers like these. In {} of them a tumour causes the pain; in {} it is cancer. In {} there is "
                  "none.",
                  grouped(d), about(p.tumour), about(p.malignant), about(1 - p.tumour))
            : fmt::format("Of {} people with answers like these, {} have a tumour that causes the pain ({} a malignant one); {} have none.",
                          grouped(d), people_in_words(p.tumour, d), people_in_words(p.malignant, d), people_in_words(1 - p.tumour, d));
    out_.before = person_voice_ ? fmt::format("Before your answers, for people of your age and sex, it was {} of {}.",
                                              people_in_words(r_.before.tumour, d), grouped(d))
                                : fmt::format("Before the answers, from age, sex and setting alone: {} with a tumour ({} malignant).",
                                              people_in_words(r_.before.tumour, d), people_in_words(r_.before.malignant, d));
    const Intervals& i = r_.intervals;
    const bool open = i.if_all_answered.high > 0;
    if (person_voice_) {
      out_.certainty = fmt::format("These are best estimates: for a tumour, the true number could well lie anywhere from {} of {}.",
                                   range(i.tumour), grouped(d));
      if (open && i.unanswered_share > 0.5) out_.certainty += " Answering more questions would make it surer.";
    } else {
      out_.certainty = fmt::format("From what is not known about the model's own numbers (95%): a tumour in {}, malignant in {} of {}.",
                                   range(i.tumour), range(i.malignant), grouped(d));
      if (open)
        out_.certainty += fmt::format(
            " Were every open question and sign answered, it would mostly lie between {} and {}: {:.0f}% of the uncertainty is in "
            "what has not been asked, the rest in the evidence.",
            count(i.if_all_answered.low), count(i.if_all_answered.high), 100 * i.unanswered_share);
    }
    out_.ladder = {{"before", r_.before.tumour}, {"now", p.tumour}};
    for (const Threshold& t : k_.thresholds)
      if (t.quantity == "malignant") out_.ladder.push_back({fmt::format("asks: {}", urgency_phrase(urgency_of(t.urgency))), t.at_least});
  }

  // One or two words each of what a visit brought; "no fever" for what was looked for and not found.
  std::string news(const std::vector<Answer>& answers, const std::vector<AnyOf>& any_of, bool recovered) const {
    std::vector<std::string> present, absent;
    if (recovered) present.push_back("the pain has gone");
    for (const Answer& a : answers) {
      const Finding& f = k_.findings[a.finding];
      if (a.measured) {
        const std::string value = clean(a.given);
        present.push_back(f.name + " " + value.substr(std::min(value.size(), value.find(": ") + 2)));
      } else if (a.absent()) {
        absent.push_back("no " + f.name);
      } else {
        present.push_back(f.name);
      }
    }
    for (const AnyOf& any : any_of) present.push_back(said(any.given));
    present.insert(present.end(), absent.begin(), absent.end());
    if (present.empty()) return "still in pain";
    return list_of(present, 3, "and");
  }

  void visits() {
    if (r_.trajectory.size() < 2) return;
    const Presentation& p = r_.person;
    for (std::size_t i = 0; i < r_.trajectory.size(); ++i) {
      const Posterior& x = r_.trajectory[i];
      ToldVisit visit;
      visit.weeks = i == 0 ? 0 : p.later[i - 1].weeks;
      visit.when = i == 0 ? "first visit" : fmt::format("week {:.3g}", visit.weeks);
      visit.news =
          i == 0 ? news(p.answers, p.any_of, false) : news(p.later[i - 1].answers, p.later[i - 1].any_of, p.later[i - 1].recovered);
      if (i == 0 && visit.news == "still in pain") visit.news = "back pain";
      visit.tumour = x.tumour;
      visit.emergency = x.emergency;
      visit.tumour_count = count(x.tumour);
      visit.emergency_count = count(x.emergency);
      out_.visits.push_back(std::move(visit));
    }
  }

  void causes() {
    const auto& p = r_.posterior.causes;
    if (person_voice_) {
      std::map<std::string, ToldShare> groups;
      for (std::size_t c = 0; c < p.size(); ++c) {
        ToldShare& g = groups[k_.causes[c].group];
        g.name = plain_group(k_.causes[c].group);
        g.probability += p[c];
        g.tumour = g.tumour || m_.is_tumour(static_cast<int>(c));
      }
      for (auto& [group, told] : groups) {
        told.count = count(told.probability);
        out_.causes.push_back(told);
      }
      std::sort(out_.causes.begin(), out_.causes.end(),
                [](const ToldShare& a, const ToldShare& b) { return a.probability > b.probability; });
      if (out_.causes.size() > 7) out_.causes.resize(7);
      if (std::none_of(out_.causes.begin(), out_.causes.end(), [](const ToldShare& s) { return s.tumour; }))
        out_.causes.back() = share("a tumour of any kind", r_.posterior.tumour, "", true);
      // What is not a tumour first: most people have that, and the tumour number stands above already.
      std::stable_sort(out_.causes.begin(), out_.causes.end(), [](const ToldShare& a, const ToldShare& b) { return a.tumour < b.tumour; });
      return;
    }
    double rest = 1;
    int tumours = 0;
    std::vector<int> order = by_probability(p);
    for (std::size_t i = 0; i < order.size() && i < kCauses; ++i) {
      out_.causes.push_back(cause_share(order[i], p));
      tumours += m_.is_tumour(order[i]);
      rest -= p[order[i]];
    }
    // The question is about tumours: the two likeliest are told even when eight other causes are likelier.
    for (std::size_t i = kCauses; i < order.size() && tumours < 2; ++i) {
      if (!m_.is_tumour(order[i])) continue;
      out_.causes.push_back(cause_share(order[i], p));
      rest -= p[order[i]];
      ++tumours;
    }
    out_.causes.push_back(share("all others", std::max(0.0, rest), fmt::format("{} causes", p.size() - out_.causes.size())));
  }

  void mechanisms() {
    if (person_voice_) return;
    for (int i : by_probability(r_.posterior.mechanisms)) {
      const double p = r_.posterior.mechanisms[i];
      if (out_.mechanisms.size() >= kMechanisms || p * out_.denominator < 0.95) break;
      out_.mechanisms.push_back(share(k_.mechanisms[i].name, p));
    }
  }

  void levels() {
    if (person_voice_) return;
    const auto& p = r_.posterior.levels;
    std::vector<std::string> regions;
    std::map<std::string, std::vector<int>> of;
    for (std::size_t i = 0; i < p.size(); ++i) {
      const std::string region = i < k_.anatomy.levels.size() ? k_.anatomy.levels[i].region : m_.levels[i].id;
      if (!of.count(region)) regions.push_back(region);
      of[region].push_back(static_cast<int>(i));
      out_.levels.emplace_back(m_.levels[i].id, p[i]);
    }
    for (const auto& region : regions) {
      double sum = 0;
      for (int i : of[region]) sum += p[i];
      out_.regions.push_back(share(region == "outside" ? "outside the spine" : replace_all(region, '_', ' '), sum, span(of[region], sum)));
    }
    std::stable_sort(out_.regions.begin(), out_.regions.end(),
                     [](const ToldShare& a, const ToldShare& b) { return a.probability > b.probability; });
  }

  // The fewest neighbouring levels that hold half of a region's share: "half in T5 to T8".
  std::string span(const std::vector<int>& levels, double sum) const {
    if (levels.size() < 2 || !(sum > 0)) return "";
    std::size_t best_from = 0, best_to = levels.size() - 1;
    double best = 0;
    for (std::size_t from = 0; from < levels.size(); ++from) {
      double inside = 0;
      for (std::size_t to = from; to < levels.size(); ++to) {
        inside += r_.posterior.levels[levels[to]];
        if (inside < sum / 2) continue;
        if (to - from < best_to - best_from || (to - from == best_to - best_from && inside > best))
          best_from = from, best_to = to, best = inside;
        break;
      }
    }
    const auto& a = m_.levels[levels[best_from]].id;
    const auto& b = m_.levels[levels[best_to]].id;
    return a == b ? "half at " + a : fmt::format("half at {} to {}", a, b);
  }

  void stages() {
    if (person_voice_) return;
    struct At {
      int cause, stage;
      double p;
    };
    std::vector<At> all;
    for (std::size_t c = 0; c < r_.posterior.stages.size(); ++c)
      for (std::size_t s = 0; s < r_.posterior.stages[c].size(); ++s)
        all.push_back({static_cast<int>(c), static_cast<int>(s), r_.posterior.stages[c][s]});
    std::stable_sort(all.begin(), all.end(), [](const At& a, const At& b) { return a.p > b.p; });
    int tumours = 0, others = 0;
    for (const At& x : all) {
      const bool tumour = m_.is_tumour(x.cause);
      int& n = tumour ? tumours : others;
      if (n >= static_cast<int>(kStages) / 2 || x.p * out_.denominator < 0.95) continue;
      ++n;
      const Course* course = k_.course(k_.causes[x.cause].course);
      const std::string name = course && static_cast<std::size_t>(x.stage) < course->stages.size() ? course->stages[x.stage].name : "";
      out_.stages.push_back(share(name, x.p, k_.causes[x.cause].name, tumour));
    }
  }

  void forecast() {
    for (std::size_t i = 0; i < kForecastWeeks.size(); ++i) {
      out_.forecast.emplace_back(
          static_cast<int>(kForecastWeeks[i]),
          share(fmt::format("{:g} week{}", kForecastWeeks[i], kForecastWeeks[i] == 1 ? "" : "s"), r_.posterior.compression[i]));
      out_.forecast.back().second.range = range(r_.intervals.compression[i]);
    }
    if (person_voice_)
      out_.forecast_sentence = fmt::format(
          "In {} of {} people with answers like these, nerves in the spine are under pressure now or will be within {}. New numbness or "
          "weakness is the sign.",
          about(r_.posterior.compression.back()), grouped(out_.denominator), out_.forecast.back().second.name);
  }

  // "findings.night_pain: present" -> "night pain: present".
  static std::string said(const std::string& given) {
    std::string s = clean(given);
    const auto dot = s.find('.'), colon = s.find(": ");
    if (dot != std::string::npos && (colon == std::string::npos || dot < colon)) s = s.substr(dot + 1);
    const auto end = s.find(": ");
    for (std::size_t i = 0; i < s.size() && i < end; ++i)
      if (s[i] == '_') s[i] = ' ';
    return s;
  }

  // With when it was said, for people seen more than once.
  std::string what(const Reason& x) const {
    if (x.weeks.empty() || r_.person.later.empty()) return what_was_said(x);
    std::vector<std::string> all;
    for (double w : x.weeks) all.push_back(fmt::format("{:.3g}", w));
    return fmt::format("{} (week {})", what_was_said(x), fmt::join(all, ", "));
  }

  std::string what_was_said(const Reason& x) const {
    const Presentation& p = all_;
    if (x.finding < 0) {
      if (x.what == "age and sex")
        return fmt::format("{}{}{}", p.age ? fmt::format("age {:.3g}", *p.age) : "", p.age && p.sex ? ", " : "",
                           p.sex ? (*p.sex == Sex::male ? "male" : "female") : "");
      if (x.what.rfind("duration", 0) == 0 && p.weeks) return weeks();
      if (x.what == "location" && !p.locations.empty()) return "felt " + where();
      if (x.what == "setting" && p.setting >= 0) return "seen in: " + setting();
      return said(x.what);
    }
    const Finding& f = k_.findings[x.finding];
    std::string value = clean(x.what);
    if (const auto colon = value.find(": "); colon != std::string::npos) value = value.substr(colon + 2);
    const Answer* a = p.answer(x.finding);
    if (f.kind == FindingKind::history && a && a->present()) {
      const auto comma = value.find(", ");
      return comma == std::string::npos ? f.name : f.name + value.substr(comma);
    }
    if (person_voice_) value = value == "present" ? "yes" : value == "absent" ? "no" : value;
    return f.name + ": " + value;
  }

  void reasons() {
    std::vector<std::string> hardly;
    for (const Reason& x : r_.reasons) {
      if (std::abs(x.tumour_decibans) < 1 && (person_voice_ || std::abs(x.emergency_decibans) < 3)) {
        hardly.push_back(what(x));
        continue;
      }
      ToldPush push;
      push.what = what(x);
      push.words = push_words(x.tumour_decibans);
      push.decibans = x.tumour_decibans;
      push.emergency_decibans = x.emergency_decibans;
      if (x.mechanism >= 0) push.carrier = k_.mechanisms[x.mechanism].name;
      const std::string group =
          person_voice_ ? (x.tumour_decibans > 0 ? "Makes a tumour more likely" : "Makes a tumour less likely") : x.group;
      auto it = std::find_if(out_.reasons.begin(), out_.reasons.end(), [&](const ToldPushes& g) { return g.group == group; });
      if (it == out_.reasons.end()) it = out_.reasons.insert(it, {group, {}});
      it->pushes.push_back(std::move(push));
    }
    if (!hardly.empty()) out_.hardly = fmt::format("{}", fmt::join(hardly, "; "));
  }

  void next() {
    for (const Question& q : r_.next) {
      if (person_voice_ && out_.next.size() >= 3) break;
      const Finding& f = k_.findings[q.prospect.finding];
      const ModelFinding& m = m_.findings[q.prospect.finding];
      ToldQuestion told;
      told.ask = person_voice_ ? f.ask_person : f.ask_clinician;
      if (told.ask.empty()) told.ask = f.name;
      told.burden = replace_all(f.burden, '_', ' ');
      const Prospect& p = q.prospect;
      auto outcome = [&](const std::string& name, std::size_t from, std::size_t to) {
        double chance = 0, tumour = 0, emergency = 0;
        for (std::size_t g = from; g < to && g < p.grades.size(); ++g) {
          chance += p.grades[g].probability;
          tumour += p.grades[g].probability * p.grades[g].tumour;
          emergency += p.grades[g].probability * p.grades[g].emergency;
        }
        if (chance < 1e-6) return;
        told.outcomes.push_back({name, count(chance), count(tumour / chance), count(emergency / chance)});
      };
      if (m.shape == Shape::history) {
        outcome("yes", 1, p.grades.size());
        outcome("no", 0, 1);
      } else {
        for (std::size_t g = p.grades.size(); g-- > 0;) outcome(answer_name(f, m, g), g, g + 1);
      }
      const bool moves = std::any_of(told.outcomes.begin(), told.outcomes.end(), [&](const ToldOutcome& o) {
        return o.tumour != out_.tumour_count || o.emergency != out_.emergency_count;
      });
      if (moves) out_.next.push_back(std::move(told));
    }
  }

  // Changes to the same urgency for the same reason are told together: "any one of ...".
  void changes() {
    struct Group {
      bool up;
      Urgency urgency;
      std::string because;
      std::vector<std::string> answers;
    };
    std::vector<Group> groups;
    for (const Change& c : r_.changes) {
      std::vector<std::string> parts;
      for (const auto& [f, present] : c.answers)
        parts.push_back((k_.findings[f].kind == FindingKind::history && present ? "any cancer, past or present" : k_.findings[f].name) +
                        (present ? "" : ", absent instead"));
      const bool up = c.urgency > r_.triage.urgency;
      if (person_voice_ &&
          std::any_of(c.answers.begin(), c.answers.end(), [&](const auto& a) { return k_.findings[a.first].burden != "question"; }))
        continue;
      const std::string one = fmt::format("{}", fmt::join(parts, " together with "));
      auto it =
          std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.urgency == c.urgency && g.because == c.because; });
      if (it == groups.end()) it = groups.insert(it, {up, c.urgency, c.because, {}});
      if (!std::count(it->answers.begin(), it->answers.end(), one)) it->answers.push_back(one);
    }
    // What many answers would do comes before what a single rare one would.
    std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
      return std::tuple(!a.up, -static_cast<int>(a.urgency) * (a.up ? 1 : -1), -static_cast<int>(a.answers.size())) <
             std::tuple(!b.up, -static_cast<int>(b.urgency) * (b.up ? 1 : -1), -static_cast<int>(b.answers.size()));
    });
    for (const Group& g : groups) {
      if (person_voice_ && !g.up) continue;
      if (out_.changes.size() >= kChanges) break;
      out_.changes.push_back({g.up, list_of(g.answers, 4), urgency_phrase(g.urgency),
                              g.because == "no rule" ? "no rule would be left" : because_name(k_, g.because)});
    }
  }

  void comparators() {
    int silent = 0, open = 0;
    for (const auto& c : r_.comparators) {
      std::vector<std::string> fire;
      bool unknown = false;
      for (const auto& [name, truth] : c.parts) {
        if (truth == Truth::yes) fire.push_back(replace_all(name, '_', ' '));
        unknown = unknown || truth == Truth::unknown;
      }
      if (!fire.empty()) {
        out_.lists_fire.push_back(c.list->name);
        out_.lists_fire_ids.push_back(c.list->id);
      }
      if (fire.empty()) ++(unknown ? open : silent);
    }
    if (!r_.comparators.empty())
      out_.lists_rest =
          fmt::format("{} of {} fire; {} cannot be told yet; {} silent", out_.lists_fire.size(), r_.comparators.size(), open, silent);
  }

  const Report& r_;
  const Knowledge& k_;
  const Model& m_;
  const Presentation all_;  // that is known, as at the last visit
  const bool person_voice_;
  Told out_;
};

}  // namespace

Told tell(const Report& report, Voice voice) { return Teller(report, voice).tell(); }

}  // namespace dorsalgia
