// Knowledge -> Model: names become indices, figures become their values, tables become arrays.
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "model/model.h"
#include "model/parameter.h"

#ifndef DORSALGIA_VERSION
#define DORSALGIA_VERSION "0.0.0"
#endif

namespace dorsalgia {

namespace {

template <class T>
std::map<std::string, int> index_by_id(const std::vector<T>& all) {
  std::map<std::string, int> out;
  for (std::size_t i = 0; i < all.size(); ++i) out[all[i].id] = static_cast<int>(i);
  return out;
}

AgeSex flat(const AgeSexTable& t) { return {t.male, t.female}; }

AgeSex constant(double value) {
  AgeSex out;
  out[0].fill(value);
  out[1].fill(value);
  return out;
}

std::array<double, kHistoryBins - 1> years_of(const NamedTable& t) {
  std::array<double, kHistoryBins - 1> out{};
  for (std::size_t i = 0; i < out.size() && i < t.values.size(); ++i) out[i] = t.values[i].second;
  return out;
}

// Spreads region names evenly over their levels. "thoracolumbar" is T11 to L2.
std::vector<double> spread_levels(const NamedTable& table, const Anatomy& anatomy) {
  std::vector<double> out(anatomy.levels.size(), 0.0);
  for (const auto& [name, share] : table.values) {
    std::vector<std::size_t> members;
    for (std::size_t l = 0; l < anatomy.levels.size(); ++l) {
      const Level& level = anatomy.levels[l];
      const bool junction = level.id == "T11" || level.id == "T12" || level.id == "L1" || level.id == "L2";
      if (level.id == name || level.region == name || (name == "thoracolumbar" && junction)) members.push_back(l);
    }
    for (std::size_t l : members) out[l] += share / static_cast<double>(members.size());
  }
  double sum = 0;
  for (double x : out) sum += x;
  for (double& x : out) x /= sum > 0 ? sum : 1;
  return out;
}

std::vector<double> values(const Grades& grades) {
  std::vector<double> out;
  for (const Figure& f : grades) out.push_back(f.value);
  return out;
}

ModelFinding compile_finding(const Finding& f, const std::map<std::string, int>& mechanisms, const std::map<std::string, int>& causes,
                             const std::map<std::string, int>& segments) {
  ModelFinding m;
  m.id = f.id;
  switch (f.kind) {
    case FindingKind::context: m.shape = Shape::context; break;
    case FindingKind::history: m.shape = Shape::history; break;
    case FindingKind::measured: m.shape = Shape::measured; break;
    default: m.shape = Shape::discrete;
  }
  if (m.shape == Shape::context || m.shape == Shape::history) {
    m.prevalence = flat(*f.prevalence);
    m.grades = m.shape == Shape::history ? kHistoryBins : 2;
    if (f.years) m.years = years_of(*f.years);
  } else if (m.shape == Shape::measured) {
    m.grades = 3;  // low, normal, raised: how it is asked about
    m.log_scale = f.log_scale;
    m.possible_low = f.possible_low;
    m.possible_high = f.possible_high;
    m.centre = flat(f.centre);
    m.spread = f.spread.value;
    const double inf = std::numeric_limits<double>::infinity();
    m.reference_low = {f.reference_male[0].value_or(-inf), f.reference_female[0].value_or(-inf)};
    m.reference_high = {f.reference_male[1].value_or(inf), f.reference_female[1].value_or(inf)};
    auto shift = [&](bool is_cause, int index, const Shift& s) {
      const double spread = s.spread ? s.spread->value : 0;
      m.shifts.push_back({is_cause, index, s.shift.value, spread * spread});
    };
    for (const auto& [name, s] : f.mechanism_shifts) shift(false, mechanisms.at(name), s);
    for (const auto& [name, s] : f.cause_shifts) shift(true, causes.at(name), s);
  } else {
    m.grades = f.grades.empty() ? 2 : static_cast<int>(f.grades.size());
    if (f.leak_table) m.leak.push_back(flat(*f.leak_table));
    for (const Figure& leak : f.leak) m.leak.push_back(constant(leak.value));
    for (const auto& [name, p] : f.mechanisms) m.links.push_back({Parent::mechanism, mechanisms.at(name), -1, values(p)});
    for (const auto& [name, p] : f.causes) m.links.push_back({Parent::cause, causes.at(name), -1, values(p)});
    if (!f.place_root.empty()) m.place_segment = segments.at(f.place_root);
  }
  return m;
}

// filling: by part of the canal, what the speeds into compression are multiplied by where a course fills the canal.
ModelCourse compile_course(const Course& c, const std::map<std::string, int>& mechanisms, const Model& model,
                           const std::array<double, kCanals>& filling) {
  ModelCourse m;
  m.id = c.id;
  const int n = static_cast<int>(c.stages.size());
  const auto stages = index_by_id(c.stages);
  double entries = 0;
  for (const Stage& s : c.stages) entries += s.entry ? s.entry->value : 0;
  for (int k = 0; k < n; ++k) {
    const Stage& s = c.stages[k];
    MechanismSet set = 0;
    for (const auto& name : s.mechanisms) set |= MechanismSet{1} << mechanisms.at(name);
    m.stages.push_back({s.id, set, (s.entry ? s.entry->value : 0) / entries, s.presents.value});
  }
  for (int canal = 0; canal < kCanals; ++canal) {
    std::vector<double>& generator = m.generator[canal];
    generator.assign(static_cast<std::size_t>(n) * n, 0.0);
    for (int k = 0; k < n; ++k)
      for (const auto& [name, figure] : c.stages[k].to) {
        double speed = figure.value;
        if (name != "recovered") {
          const int to = stages.at(name);
          if (c.fills_canal && !model.is_compressed(m.stages[k].mechanisms) && model.is_compressed(m.stages[to].mechanisms))
            speed *= filling[canal];
          generator[k * n + to] += speed;
        }
        generator[k * n + k] -= speed;
      }
  }
  return m;
}

ModelCause compile_cause(const Cause& c, const Knowledge& k, const Model& m, const std::map<std::string, int>& mechanisms,
                         const std::map<std::string, int>& courses, const std::map<std::string, int>& findings) {
  ModelCause out;
  out.id = c.id;
  out.group = c.group;
  out.behaviour = c.behaviour;
  out.emergency = c.emergency;
  out.course = courses.at(c.course);
  out.tempo = c.tempo ? c.tempo->value : 1;
  out.rate = flat(c.rate);
  for (const auto& setting : m.settings) {
    double weight = 1;
    for (const auto& [name, value] : c.settings.values)
      if (name == setting) weight = value;
    out.settings.push_back(weight);
  }
  out.levels = spread_levels(c.levels, k.anatomy);
  out.referral.assign(m.locations.size(), 0);
  if (c.referral)
    for (const auto& [name, share] : c.referral->values)
      for (std::size_t i = 0; i < m.locations.size(); ++i)
        if (m.locations[i] == name) out.referral[i] = share;
  if (c.accompanied_by) {
    out.accompaniment = mechanisms.at(c.accompanied_by->first);
    out.accompanied = c.accompanied_by->second.value;
  }
  for (const ContextLink& link : c.context) {
    const int f = findings.at(link.factor);
    out.context.push_back({f, link.is_share, link.figure.value, link.years ? years_of(*link.years) : m.findings[f].years});
  }
  return out;
}

// XXH3 over every number and name in a fixed order: two models with the same hash answer alike.
class Hasher {
 public:
  Hasher() : state_(XXH3_createState()) { XXH3_128bits_reset(state_); }
  ~Hasher() { XXH3_freeState(state_); }
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  void add(double x) { XXH3_128bits_update(state_, &x, sizeof x); }
  void add(const std::string& s) {
    add(static_cast<double>(s.size()));
    XXH3_128bits_update(state_, s.data(), s.size());
  }
  void add(const AgeSex& t) {
    for (const auto& sex : t)
      for (double x : sex) add(x);
  }
  template <class T>
  void add(const std::vector<T>& v) {
    add(static_cast<double>(v.size()));
    for (const auto& x : v) add(x);
  }
  std::string hex() const {
    const XXH128_hash_t h = XXH3_128bits_digest(state_);
    char out[33];
    std::snprintf(out, sizeof out, "%016llx%016llx", static_cast<unsigned long long>(h.high64), static_cast<unsigned long long>(h.low64));
    return out;
  }

 private:
  XXH3_state_t* state_;
};

std::string hash(const Model& m) {
  Hasher h;
  h.add(m.segments);
  h.add(m.locations);
  h.add(m.settings);
  h.add(m.setting_shares);
  for (const auto& [offset, share] : m.sensory_level_offset) h.add(offset), h.add(share);
  h.add(m.people);
  h.add(m.background_share), h.add(m.background_log_median), h.add(m.background_log_spread);
  for (const auto& x : m.mechanisms) {
    h.add(x.id);
    for (bool b : x.possible) h.add(b);
  }
  for (const auto& x : m.levels) {
    h.add(x.id), h.add(static_cast<double>(x.canal)), h.add(x.cord_segment), h.add(x.first_root), h.add(x.pain);
    for (const auto& [s, p] : x.roots) h.add(s), h.add(p);
  }
  for (const auto& f : m.findings) {
    h.add(f.id), h.add(static_cast<double>(f.shape)), h.add(f.grades), h.add(f.leak), h.add(f.place_segment), h.add(f.prevalence);
    for (double y : f.years) h.add(y);
    for (const auto& l : f.links) h.add(static_cast<double>(l.parent)), h.add(l.index), h.add(l.stage), h.add(l.p);
    h.add(f.log_scale), h.add(f.possible_low), h.add(f.possible_high), h.add(f.centre), h.add(f.spread);
    for (int s = 0; s < 2; ++s) h.add(f.reference_low[s]), h.add(f.reference_high[s]);
    for (const auto& s : f.shifts) h.add(s.is_cause), h.add(s.index), h.add(s.shift), h.add(s.variance);
  }
  for (const auto& c : m.causes) {
    h.add(c.id), h.add(c.group), h.add(static_cast<double>(c.behaviour)), h.add(c.emergency), h.add(c.course), h.add(c.tempo);
    h.add(c.rate), h.add(c.settings), h.add(c.levels), h.add(c.referral), h.add(c.accompaniment), h.add(c.accompanied);
    for (const auto& x : c.context) {
      h.add(x.finding), h.add(x.is_share), h.add(x.value);
      for (double y : x.years) h.add(y);
    }
  }
  for (const auto& c : m.courses) {
    h.add(c.id);
    for (const auto& s : c.stages) h.add(s.id), h.add(static_cast<double>(s.mechanisms)), h.add(s.entry), h.add(s.presents);
    for (const auto& generator : c.generator) h.add(generator);
  }
  return h.hex();
}

Canal canal_of(const std::string& name) {
  if (name == "cord") return Canal::cord;
  if (name == "conus") return Canal::conus;
  if (name == "cauda") return Canal::cauda;
  return Canal::none;
}

}  // namespace

Model compile(const Knowledge& k) {
  Model m;
  m.version = DORSALGIA_VERSION;
  const auto mechanisms = index_by_id(k.mechanisms), causes = index_by_id(k.causes), courses = index_by_id(k.courses),
             findings = index_by_id(k.findings), segments = index_by_id(k.anatomy.segments);
  for (const auto& x : k.mechanisms) {
    ModelMechanism out{x.id, {true, true, true, true}};
    if (!x.canal.empty()) {
      out.possible = {false, false, false, false};
      for (const auto& name : x.canal) out.possible[static_cast<int>(canal_of(name))] = true;
    }
    m.mechanisms.push_back(out);
  }
  auto mechanism = [&](const char* id) { return mechanisms.count(id) ? mechanisms.at(id) : -1; };
  m.cord_compression = mechanism("cord_compression");
  m.cauda_equina_compression = mechanism("cauda_equina_compression");
  m.root_compression = mechanism("root_compression");
  for (const auto& s : k.anatomy.segments) m.segments.push_back(s.id);
  m.locations = {"cervical", "thoracic", "thoracolumbar", "lumbar", "sacral", "flank"};
  for (const auto& s : k.population.settings) {
    m.settings.push_back(s.id);
    m.setting_shares.push_back(s.share.value);
  }
  m.sensory_level_offset = k.anatomy.sensory_level_offset;
  m.people = flat(k.population.people);
  m.background_share = k.population.background_share.value;
  m.background_log_median = std::log(k.population.background_median.value);
  m.background_log_spread = k.population.background_spread.value;
  for (const auto& l : k.anatomy.levels) {
    ModelLevel out;
    out.id = l.id;
    out.canal = canal_of(l.canal);
    out.cord_segment = segments.count(l.cord_segment) ? segments.at(l.cord_segment) : -1;
    // C8 leaves between C7 and T1; every other root has the name of a vertebra. C1 has no dermatome: count from C2.
    out.first_root = segments.count(l.id) ? segments.at(l.id) : (l.id == "C1" ? 0 : -1);
    for (const auto& [name, share] : l.roots)
      if (segments.count(name)) out.roots.emplace_back(segments.at(name), share);
    out.pain.assign(m.locations.size(), 0);
    for (const auto& [name, share] : l.pain)
      for (std::size_t i = 0; i < m.locations.size(); ++i)
        if (m.locations[i] == name) out.pain[i] = share;
    m.levels.push_back(out);
  }
  for (const auto& f : k.findings) m.findings.push_back(compile_finding(f, mechanisms, causes, segments));
  m.sensory_level = m.finding("sensory_level");
  std::array<double, kCanals> filling{1, 1, 1, 1};
  for (const auto& [name, factor] : k.anatomy.canal_filling.values) filling[static_cast<int>(canal_of(name))] = factor;
  for (const auto& c : k.courses) m.courses.push_back(compile_course(c, mechanisms, m, filling));
  for (std::size_t c = 0; c < k.courses.size(); ++c)
    for (std::size_t s = 0; s < k.courses[c].stages.size(); ++s)
      for (const auto& [name, p] : k.courses[c].stages[s].findings)
        m.findings[findings.at(name)].links.push_back({Parent::stage, static_cast<int>(c), static_cast<int>(s), values(p)});
  for (const auto& c : k.causes) {
    m.causes.push_back(compile_cause(c, k, m, mechanisms, courses, findings));
    const int index = static_cast<int>(m.causes.size()) - 1;
    for (const auto& [name, p] : c.findings) m.findings[findings.at(name)].links.push_back({Parent::cause, index, -1, values(p)});
    for (const auto& [name, s] : c.measures) {
      const double spread = s.spread ? s.spread->value : 0;
      m.findings[findings.at(name)].shifts.push_back({true, index, s.shift.value, spread * spread});
    }
  }
  if (!k.fitted.parameters.empty()) {
    std::map<std::string, double> moved;
    for (std::size_t i = 0; i < k.fitted.parameters.size(); ++i) moved[k.fitted.parameters[i]] = k.fitted.mean[i];
    for (const Parameter& p : parameters(k, m))
      if (const auto it = moved.find(p.id); it != moved.end()) displace(m, p, it->second);
  }
  m.hash = hash(m);
  return m;
}

}  // namespace dorsalgia
