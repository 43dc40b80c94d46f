#include "simulation/trial.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <mutex>
#include <numeric>
#include <thread>

#include "pathway/pathway.h"
#include "simulation/draws.h"

namespace dorsalgia {

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr std::uint64_t kChunk = 64;                          // people
constexpr std::uint64_t kElsewhere = std::uint64_t{1} << 40;  // where the next try at an adult stands
// Who is drawn: enough malignant tumours for their delays, enough benign ones and others for what scans cost.
constexpr double kMalignant = 0.4, kBenign = 0.1;

template <class Work>
void in_threads(unsigned threads, std::uint64_t items, std::uint64_t chunk, const Work& work) {
  std::atomic<std::uint64_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto loop = [&] {
    try {
      for (;;) {
        const std::uint64_t from = next.fetch_add(chunk);
        if (from >= items) return;
        work(from, std::min(items, from + chunk));
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      next = items;
    }
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i) others.emplace_back(loop);
  loop();
  for (auto& t : others) t.join();
  if (failure) std::rethrow_exception(failure);
}

Cohort enriched(const Model& m, std::uint64_t seed) {
  Cohort out;
  for (std::size_t s = 0; s < m.settings.size(); ++s)
    if (m.settings[s] == "primary_care") out.setting = static_cast<int>(s);
  const auto share = [&](bool tumour, bool malignant) {
    Cohort only = out;
    only.causes.assign(m.causes.size(), 0);
    bool any = false;
    for (std::size_t c = 0; c < m.causes.size(); ++c)
      if (m.is_tumour(static_cast<int>(c)) == tumour && m.is_malignant(static_cast<int>(c)) == malignant) only.causes[c] = 1, any = true;
    try {
      return any ? People(m, seed, only).share(std::max(0, out.setting)) : 0.0;
    } catch (const std::invalid_argument&) {
      return 0.0;  // nobody of them comes here
    }
  };
  const double malignant = share(true, true), benign = share(true, false), other = share(false, false);
  if (!(other > 0) || !(malignant > 0)) return out;
  const double more = kMalignant / malignant, some = benign > 0 ? kBenign / benign : 1,
               rest = (1 - kMalignant - (benign > 0 ? kBenign : 0)) / other;
  for (std::size_t c = 0; c < m.causes.size(); ++c) {
    const int cause = static_cast<int>(c);
    out.causes.push_back((m.is_malignant(cause) ? more : m.is_tumour(cause) ? some : rest) / rest);
  }
  return out;
}

// What notes hold of what nobody was asked for by the pathway: questions and examination. Tests are ordered, not found in notes.
struct Notes {
  Recording recording;
  std::vector<std::uint8_t> told;  // by finding: 1 when a visit may bring it to light
  Notes(const Knowledge& k, const Model& m) : recording(compile_recording(k, m)) {
    for (const Finding& f : k.findings)
      told.push_back(f.kind != FindingKind::test && (f.burden == "question" || f.burden == "examination" || f.burden == "record"));
  }
};

class Life {
 public:
  Life(const Knowledge& k, const ExactEngine& engine, const Trials& trials, const Notes& notes, std::uint64_t seed)
      : k_(k), m_(engine.model()), engine_(engine), trials_(trials), notes_(notes), seed_(seed) {
    unable_to_walk_ = m_.finding("unable_to_walk");
    weakness_ = m_.finding("weakness");
    progressive_ = m_.finding("progressive_pain");
  }

  // What does not hang on the pathway. `p` must have been followed.
  void begin(const VirtualPerson& p) {
    p_ = &p;
    compressed_ = weak_ = kNever;
    unscheduled_.clear();
    new_pressure_.clear();
    bool before = false;
    Draws random(seed_, p.index, Purpose::compressed);
    for (std::size_t e = 0; e < p.visits.size(); ++e) {
      const VirtualVisit& v = p.visits[e];
      const bool pressed = v.stage >= 0 && m_.is_compressed(v.active);
      const double u = random.exponential();
      if (pressed && !std::isfinite(compressed_)) compressed_ = e == 0 ? entered(0) : v.weeks;
      if (pressed && !std::isfinite(weak_) && weakness_ >= 0 && v.grades[weakness_] > 0) weak_ = e == 0 ? entered(0) : v.weeks;
      if (pressed && e > 0) {
        const double presents = m_.courses[m_.causes[p.cause].course].stages[v.stage].presents;
        const double t = v.weeks + (presents > 0 ? u / presents : kNever), until = e + 1 < p.visits.size() ? p.visits[e + 1].weeks : kNever;
        if (t < until) unscheduled_.push_back(t);
        if (!before) new_pressure_.push_back(v.weeks);
      }
      before = pressed;
    }
  }

  Fate live(const TrialPathway& pathway) {
    Fate fate;
    fate.diagnosis = fate.compressed = fate.weak = std::numeric_limits<float>::infinity();
    const std::size_t tests = trials_.tests.size();
    grade_.assign(m_.findings.size(), -1);
    value_.assign(m_.findings.size(), 0);
    segment_ = -1;
    due_.assign(tests, kNever), done_.assign(tests, -kNever), ordered_.assign(tests, 0), then_.resize(tests);
    std::vector<double> extra = unscheduled_;
    if (pathway.new_compression) {
      extra.clear();
      for (std::size_t i = 0; i < new_pressure_.size(); ++i)
        extra.push_back(new_pressure_[i] + drawn(*pathway.new_compression, tests, static_cast<int>(i)));
    }
    std::size_t next_extra = 0;
    double visit = 0;
    int rounds = 0;
    Draws comes(seed_, p_->index, Purpose::comes_back);
    for (;;) {
      // The next thing that happens.
      const double extra_at = next_extra < extra.size() ? extra[next_extra] : kNever;
      const auto test = static_cast<std::size_t>(std::min_element(due_.begin(), due_.end()) - due_.begin());
      const double result = test < tests ? due_[test] : kNever, now = std::min({visit, extra_at, result});
      if (!(now < kTrialWeeks)) break;
      const VirtualVisit& state = at(now);
      if (state.stage < 0) break;  // free of pain: nobody comes, and nobody goes to a scan
      if (result <= now) {
        due_[test] = kNever, done_[test] = now;
        if (take(trials_.tests[test], state, fate)) {
          fate.diagnosis = static_cast<float>(now);
          fate.compressed_at_diagnosis = m_.is_compressed(state.active);
          fate.walks = unable_to_walk_ < 0 || state.grades[unable_to_walk_] == 0;
          break;
        }
      } else {
        if (extra_at <= now) ++next_extra;
        else
          // Later visits of those who come back; the luck of each is the person's own, whatever the pathway.
          do visit += pathway.return_weeks;
          while (visit < kTrialWeeks && comes.uniform() >= (worse(at(visit)) ? pathway.comes_back_worse : pathway.comes_back));
        note(pathway, state, rounds++);
        ++fate.visits;
      }
      decide(pathway, now);
    }
    const double until = std::min(static_cast<double>(fate.diagnosis), kTrialWeeks);
    if (compressed_ <= until) fate.compressed = static_cast<float>(compressed_);
    if (weak_ <= until) fate.weak = static_cast<float>(weak_);
    return fate;
  }

 private:
  // When the stage of the first visit was entered, before it. The path up to care stands before the entries of visits.
  double entered(std::size_t visit) const {
    const std::size_t later = p_->visits.size() - 1;
    std::size_t at = p_->path.size() - 1 - later + visit;
    // Pressure may have begun a stage earlier.
    const Canal canal = m_.levels[p_->level].canal;
    while (at > 0 && p_->path[at - 1].stage >= 0 && m_.is_compressed(active(m_, p_->cause, p_->variant, p_->path[at - 1].stage, canal)))
      --at;
    return p_->path[at].weeks - p_->weeks;
  }

  const VirtualVisit& at(double weeks) const {
    std::size_t e = p_->visits.size() - 1;
    while (e > 0 && p_->visits[e].weeks > weeks) --e;
    return p_->visits[e];
  }

  bool worse(const VirtualVisit& v) const { return v.stage >= 0 && progressive_ >= 0 && v.grades[progressive_] > 0; }

  // The luck of the n-th wait for a test, the same in every pathway.
  double drawn(const Wait& w, std::size_t test, int n) const {
    const Block b = block(seed_, p_->index, Purpose::wait, static_cast<std::uint64_t>(test), static_cast<std::uint64_t>(n));
    const double z = std::sqrt(-2 * std::log(unit(b[0]))) * std::cos(2 * M_PI * unit(b[1]));
    return w.median * std::exp(w.spread * z);
  }

  void learn(int f, const VirtualVisit& state) {
    grade_[f] = state.grades[f];
    value_[f] = state.values[f];
    if (f == m_.sensory_level) segment_ = state.grades[f] > 0 ? state.sensory_segment : -1;
  }

  // What a visit brings to light.
  void note(const TrialPathway& pathway, const VirtualVisit& state, int round) {
    const Recording& r = notes_.recording;
    const auto s = static_cast<std::size_t>(p_->setting);
    if (r.kinds.empty()) {
      for (std::size_t f = 0; f < notes_.told.size(); ++f)
        if (notes_.told[f]) learn(static_cast<int>(f), state);
      return;
    }
    Draws random(seed_, p_->index, Purpose::record, static_cast<std::uint64_t>(round));
    std::array<bool, 32> done{};
    for (std::size_t k = 0; k < r.kinds.size(); ++k) {
      const double u = random.uniform();
      done[k] = r.kinds[k].done.empty() || u < r.kinds[k].done[s];
    }
    for (std::size_t f = 0; f < notes_.told.size(); ++f) {
      const double u = random.uniform();
      if (!notes_.told[f] || !done[static_cast<std::size_t>(r.kind_of[f])]) continue;
      const Recording::Kind& kind = r.kinds[static_cast<std::size_t>(r.kind_of[f])];
      bool there = state.grades[f] > 0;
      const ModelFinding& finding = m_.findings[f];
      if (finding.shape == Shape::measured) {
        const double x = in_unit(finding, state.values[f]);
        there = x < finding.reference_low[static_cast<int>(p_->sex)] || x >= finding.reference_high[static_cast<int>(p_->sex)];
      }
      if (u < (there ? kind.present : kind.absent)[s]) learn(static_cast<int>(f), state);
    }
    for (int f : pathway.asked) learn(f, state);
  }

  // True when it shows a tumour that is there.
  bool take(const TrialTest& test, const VirtualVisit& state, Fate& fate) {
    if (test.consultation) {
      ++fate.visits;
      for (std::size_t f = 0; f < notes_.told.size(); ++f)
        if (notes_.told[f]) learn(static_cast<int>(f), state);
      return false;
    }
    fate.mris = static_cast<std::uint8_t>(fate.mris + test.mri);
    for (int f : test.gives) learn(f, state);
    return m_.is_tumour(p_->cause) &&
           std::any_of(test.shows_tumour.begin(), test.shows_tumour.end(), [&](int f) { return state.grades[f] > 0; });
  }

  void decide(const TrialPathway& pathway, double now) {
    Presentation known;
    bool gathered = false;
    std::optional<Posterior> posterior;
    std::map<std::string, std::vector<Fired>> fired;
    for (const TrialStep& step : pathway.steps) {
      const auto test = static_cast<std::size_t>(step.test);
      if (step.after >= 0 && !std::isfinite(done_[static_cast<std::size_t>(step.after)])) continue;
      const bool waiting = std::isfinite(due_[test]);
      if (!waiting && std::isfinite(done_[test])) {
        if (!step.again_after || now - done_[test] < *step.again_after) continue;
        if (!step.spoken_of.empty() &&
            std::none_of(step.spoken_of.begin(), step.spoken_of.end(), [&](int f) { return grade_[f] > 0 && then_[test][f] <= 0; }))
          continue;
      }
      // One who waits already is at most moved forward, with the same luck.
      const double due = now + drawn(step.wait, test, waiting ? ordered_[test] - 1 : ordered_[test]);
      if (waiting && due >= due_[test]) continue;
      if (!gathered) known = so_far(now), gathered = true;
      if (!fires(step.when, known, posterior, fired)) continue;
      if (!waiting) ++ordered_[test];
      due_[test] = due;
      then_[test] = grade_;
    }
  }

  bool fires(const TrialWhen& when, const Presentation& known, std::optional<Posterior>& posterior,
             std::map<std::string, std::vector<Fired>>& fired) const {
    if (when.condition && holds(*when.condition, m_, known) != Truth::yes) return false;
    if (!when.lists.empty() &&
        std::none_of(when.lists.begin(), when.lists.end(), [&](const Condition& c) { return holds(c, m_, known) == Truth::yes; }))
      return false;
    if (when.urgency) {
      const auto [it, fresh] = fired.try_emplace(when.profile);
      if (fresh) it->second = triage(k_, m_, known, when.profile, nullptr).fired;
      if (std::none_of(it->second.begin(), it->second.end(), [&](const Fired& f) {
            return f.urgency >= *when.urgency && (when.rules.empty() || std::count(when.rules.begin(), when.rules.end(), f.rule->id) > 0);
          }))
        return false;
    }
    if (when.probability) {
      if (!posterior) posterior = engine_.posterior(known);
      const std::string& q = when.probability->quantity;
      const double p = !posterior->possible ? 0
                       : q == "malignant"   ? posterior->malignant
                       : q == "tumour"      ? posterior->tumour
                                            : posterior->emergency;
      if (p < when.probability->at_least) return false;
    }
    return true;
  }

  // All that is known by now, as if it had been said today: of each finding the latest, and how long the pain has lasted.
  Presentation so_far(double now) const {
    Presentation out;
    out.age = p_->age, out.sex = p_->sex, out.setting = p_->setting;
    const double weeks = p_->stated_weeks + now;
    out.weeks = {weeks, weeks};
    if (p_->location >= 0) out.locations = {p_->location};
    for (int f = 0; f < static_cast<int>(grade_.size()); ++f) {
      if (grade_[f] < 0) continue;
      const ModelFinding& finding = m_.findings[f];
      if (finding.shape == Shape::measured) {
        const double x = in_unit(finding, value_[f]);
        out.answers.push_back({f, 0, 0, true, x, x, ""});
      } else {
        out.answers.push_back({f, grade_[f], grade_[f], false, 0, 0, ""});
      }
    }
    out.sensory_segment = segment_;
    return out;
  }

  const Knowledge& k_;
  const Model& m_;
  const ExactEngine& engine_;
  const Trials& trials_;
  const Notes& notes_;
  const std::uint64_t seed_;
  int unable_to_walk_ = -1, weakness_ = -1, progressive_ = -1;

  const VirtualPerson* p_ = nullptr;
  double compressed_ = kNever, weak_ = kNever;
  std::vector<double> unscheduled_, new_pressure_;
  std::vector<int> grade_;  // by finding; -1: not known
  std::vector<double> value_;
  int segment_ = -1;
  std::vector<double> due_, done_;  // by test
  std::vector<int> ordered_;
  std::vector<std::vector<int>> then_;  // grade_ when it was ordered
};

// ---- counting

// One number of a person with its weight, those that are infinite too.
struct Timed {
  double value;
  std::size_t person;
};

struct Counts {
  std::array<std::vector<Timed>, kOutcomes> times;  // sorted; of medians only
};

bool is_median(Outcome o) {
  return o == Outcome::pain_to_diagnosis || o == Outcome::visit_to_diagnosis || o == Outcome::compressed_pain_days ||
         o == Outcome::compressed_visit_days || o == Outcome::compressed_weakness_days;
}

// The value of one person for a median; NaN: not counted.
double timed(Outcome o, const TrialPerson& p, const Fate& f) {
  if (!p.malignant || !p.spinal) return NAN;
  const double diagnosis = f.diagnosis;
  switch (o) {
    case Outcome::pain_to_diagnosis: return p.pain_weeks + diagnosis;
    case Outcome::visit_to_diagnosis: return diagnosis;
    case Outcome::compressed_pain_days: return f.compressed_at_diagnosis ? 7 * (p.pain_weeks + diagnosis) : NAN;
    case Outcome::compressed_visit_days: return f.compressed_at_diagnosis ? 7 * diagnosis : NAN;
    case Outcome::compressed_weakness_days: return f.compressed_at_diagnosis && std::isfinite(f.weak) ? 7 * (diagnosis - f.weak) : NAN;
    default: return NAN;
  }
}

// Events and people of a ratio.
std::array<double, 2> counted(Outcome o, const TrialPerson& p, const Fate& f) {
  const bool malignant = p.malignant && p.spinal, found = std::isfinite(f.diagnosis),
             compressed = malignant && found && f.compressed_at_diagnosis;
  switch (o) {
    case Outcome::walking: return {double(compressed && f.walks), double(compressed)};
    case Outcome::missed: return {double(malignant && !found), double(malignant)};
    case Outcome::compressed_before: return {double(malignant && std::isfinite(f.compressed)), double(malignant)};
    case Outcome::mri_per_thousand: return {1000.0 * f.mris, 1};
    case Outcome::found_per_thousand: return {1000.0 * (p.tumour && found), double(f.mris)};
    case Outcome::visits: return {double(f.visits), 1};
    case Outcome::compressed_thoracic: return {double(compressed && p.thoracic), double(compressed)};
    default: return {0, 0};
  }
}

// times: how often each person is drawn; nullptr: once.
std::array<double, kOutcomes> estimate(const std::vector<TrialPerson>& people, const std::vector<Fate>& fates, const Counts& sorted,
                                       const std::vector<std::uint8_t>* times) {
  std::array<double, kOutcomes> out{}, above{}, below{};
  for (std::size_t i = 0; i < people.size(); ++i) {
    const double w = people[i].weight * (times ? (*times)[i] : 1);
    if (w <= 0) continue;
    for (int o = 0; o < kOutcomes; ++o) {
      if (is_median(static_cast<Outcome>(o))) continue;
      const auto [events, total] = counted(static_cast<Outcome>(o), people[i], fates[i]);
      above[static_cast<std::size_t>(o)] += w * events, below[static_cast<std::size_t>(o)] += w * total;
    }
  }
  for (std::size_t o = 0; o < kOutcomes; ++o) {
    if (!is_median(static_cast<Outcome>(o))) {
      out[o] = below[o] > 0 ? above[o] / below[o] : NAN;
      continue;
    }
    const auto weight = [&](const Timed& t) { return people[t.person].weight * (times ? (*times)[t.person] : 1); };
    double all = 0, passed = 0;
    for (const Timed& t : sorted.times[o]) all += weight(t);
    out[o] = NAN;
    for (const Timed& t : sorted.times[o])
      if ((passed += weight(t)) >= all / 2 && all > 0) {
        out[o] = t.value;
        break;
      }
  }
  return out;
}

Counts sorted(const std::vector<TrialPerson>& people, const std::vector<Fate>& fates) {
  Counts out;
  for (std::size_t o = 0; o < kOutcomes; ++o) {
    if (!is_median(static_cast<Outcome>(o))) continue;
    for (std::size_t i = 0; i < people.size(); ++i)
      if (const double x = timed(static_cast<Outcome>(o), people[i], fates[i]); !std::isnan(x)) out.times[o].push_back({x, i});
    std::stable_sort(out.times[o].begin(), out.times[o].end(), [](const Timed& a, const Timed& b) { return a.value < b.value; });
  }
  return out;
}

// How often a person stands in a resample: Poisson with mean 1 (the bootstrap of many people; Hanley & MacGibbon 2006).
std::uint8_t poisson(std::uint64_t sixteen) {
  constexpr std::array<std::uint32_t, 7> below = {24109, 48218, 60273, 64291, 65296, 65497, 65530};
  std::uint8_t n = 0;
  while (n < below.size() && sixteen >= below[n]) ++n;
  return n;
}

void estimate_all(TrialResult& result, const TrialOptions& options) {
  const std::size_t n = result.people.size(), resamples = static_cast<std::size_t>(std::max(2, options.resamples));
  std::vector<Counts> counts;
  for (TrialArm& arm : result.arms) counts.push_back(sorted(result.people, arm.fates));
  std::vector<std::vector<std::array<double, kOutcomes>>> drawn(result.arms.size(), std::vector<std::array<double, kOutcomes>>(resamples));
  in_threads(options.threads, resamples, 1, [&](std::uint64_t r, std::uint64_t) {
    std::vector<std::uint8_t> times(n);
    for (std::size_t i = 0; i < n; i += 16) {
      const Block b = block(options.seed, i / 16, Purpose::resample, r, 0);
      for (std::size_t j = i; j < std::min(n, i + 16); ++j) times[j] = poisson(b[(j - i) / 4] >> (16 * (j % 4)) & 0xffff);
    }
    for (std::size_t a = 0; a < result.arms.size(); ++a) drawn[a][r] = estimate(result.people, result.arms[a].fates, counts[a], &times);
  });
  for (std::size_t a = 0; a < result.arms.size(); ++a) {
    const auto values = estimate(result.people, result.arms[a].fates, counts[a], nullptr);
    for (std::size_t o = 0; o < kOutcomes; ++o) {
      std::vector<double> all;
      for (const auto& row : drawn[a])
        if (!std::isnan(row[o])) all.push_back(row[o]);
      std::sort(all.begin(), all.end());
      const auto at = [&](double share) {
        return all.empty() ? NAN : all[static_cast<std::size_t>(share * static_cast<double>(all.size() - 1) + 0.5)];
      };
      result.arms[a].outcomes[o] = {values[o], at(0.025), at(0.975)};
    }
  }
}

struct OutcomeName {
  const char *id, *name;
};
constexpr std::array<OutcomeName, kOutcomes> kNames = {{
    {"pain_to_diagnosis_weeks", "first pain to diagnosis, median weeks"},
    {"visit_to_diagnosis_weeks", "first visit to diagnosis, median weeks"},
    {"walking_at_diagnosis", "able to walk at diagnosis, of the compressed"},
    {"missed_at_one_year", "missed at one year"},
    {"compressed_before_diagnosis", "compressed before diagnosis"},
    {"mri_per_1000", "MRI per 1,000 presentations"},
    {"tumours_per_1000_mri", "tumours found per 1,000 MRI"},
    {"visits", "visits per person"},
    {"compressed_pain_to_diagnosis_days", "of the compressed: first pain to diagnosis, median days"},
    {"compressed_visit_to_diagnosis_days", "of the compressed: first visit to diagnosis, median days"},
    {"compressed_weakness_to_diagnosis_days", "of the compressed: weakness to diagnosis, median days"},
    {"compressed_thoracic", "of the compressed: thoracic"},
}};

}  // namespace

const char* outcome_id(Outcome o) { return kNames[static_cast<std::size_t>(o)].id; }
const char* outcome_name(Outcome o) { return kNames[static_cast<std::size_t>(o)].name; }

TrialResult run_trial(const Knowledge& knowledge, const ExactEngine& engine, const Trials& trials,
                      const std::vector<const TrialPathway*>& pathways, const TrialOptions& options) {
  const Model& m = engine.model();
  const People people(m, options.seed, enriched(m, options.seed));
  const Notes notes(knowledge, m);
  TrialResult out;
  out.people.resize(options.people);
  for (const TrialPathway* p : pathways) out.arms.push_back({p, std::vector<Fate>(options.people), {}});
  std::vector<bool> thoracic;
  for (const Level& level : knowledge.anatomy.levels) thoracic.push_back(level.region == "thoracic");
  in_threads(options.threads, options.people, kChunk, [&](std::uint64_t from, std::uint64_t to) {
    VirtualPerson person;
    Life life(knowledge, engine, trials, notes, options.seed);
    for (std::uint64_t i = from; i < to; ++i) {
      // Pathways are for adults: a child's place is taken by the next adult who stands at a number of its own.
      std::uint64_t index = i;
      do people.draw(index, person), index += kElsewhere;
      while (person.age < kAdult);
      people.follow(person, kTrialWeeks);
      life.begin(person);
      TrialPerson& p = out.people[i];
      p.weight = person.weight, p.pain_weeks = person.weeks;
      p.tumour = m.is_tumour(person.cause), p.malignant = m.is_malignant(person.cause);
      p.spinal = m.levels[person.level].id != "not_spinal";
      p.thoracic = thoracic[static_cast<std::size_t>(person.level)];
      for (std::size_t a = 0; a < pathways.size(); ++a) out.arms[a].fates[i] = life.live(*pathways[a]);
    }
    if (options.lived) options.lived(to - from);
  });
  estimate_all(out, options);
  return out;
}

}  // namespace dorsalgia
