#include "model/parameter.h"

#include <fmt/format.h>

#include <algorithm>

namespace dorsalgia {

namespace {

constexpr double k95 = 2 * 1.959964;  // width of a 95% interval in standard deviations

double logit(double p) { return std::log(p / (1 - p)); }

// From the 95% interval; an end at 0 or 1 tells nothing there, so the other end gives the spread.
double logit_spread(const Figure& f) {
  if (!(f.value > 0 && f.value < 1)) return 0;
  const bool low = f.low > 0 && f.low < f.value, high = f.high < 1 && f.high > f.value;
  if (low && high) return (logit(f.high) - logit(f.low)) / k95;
  if (low) return 2 * (logit(f.value) - logit(f.low)) / k95;
  return high ? 2 * (logit(f.high) - logit(f.value)) / k95 : 0;
}

double log_spread(const Figure& f) {
  if (!(f.value > 0)) return 0;
  if (f.low > 0 && f.high > f.low) return std::log(f.high / f.low) / k95;
  return f.high > f.value ? 2 * std::log(f.high / f.value) / k95 : 0;
}

double factor_spread(double factor) { return factor > 1 ? 2 * std::log(factor) / k95 : 0; }

bool any_above_zero(const AgeSex& t) {
  return std::any_of(t.begin(), t.end(),
                     [](const auto& sex) { return std::any_of(sex.begin(), sex.end(), [](double x) { return x > 0; }); });
}

template <class Row>
const Row* named(const std::vector<std::pair<std::string, Row>>& rows, const std::string& name) {
  for (const auto& [id, row] : rows)
    if (id == name) return &row;
  return nullptr;
}

class Lister {
 public:
  Lister(const Knowledge& k, const Model& m) : k_(k), m_(m) {}

  std::vector<Parameter> all() {
    for (std::size_t s = 0; s < m_.settings.size(); ++s)
      if (m_.settings[s] != "primary_care")
        add("cancers in " + m_.settings[s], Parameter::Kind::cancers_in, -1, static_cast<int>(s), kCancersInSettingSpread);
    for (std::size_t c = 0; c < m_.causes.size(); ++c) of_cause(static_cast<int>(c));
    for (std::size_t f = 0; f < m_.findings.size(); ++f) of_finding(static_cast<int>(f));
    return std::move(out_);
  }

 private:
  void add(std::string id, Parameter::Kind kind, int owner, int index, double spread) {
    if (spread > 0) out_.push_back({std::move(id), kind, owner, index, spread});
  }

  void of_cause(int c) {
    const Cause& cause = k_.causes[c];
    const ModelCause& model = m_.causes[c];
    if (any_above_zero(model.rate)) add(cause.id + " rate", Parameter::Kind::rate, c, 0, factor_spread(cause.rate.interval_factor));
    for (std::size_t s = 0; s < m_.settings.size(); ++s)
      if (named(cause.settings.values, m_.settings[s]) && m_.settings[s] != "primary_care")
        add(cause.id + " in " + m_.settings[s], Parameter::Kind::setting, c, static_cast<int>(s),
            factor_spread(cause.settings.interval_factor));
    for (std::size_t i = 0; i < cause.context.size(); ++i) {
      const ContextLink& link = cause.context[i];
      add(link.factor + " | " + cause.id, Parameter::Kind::factor, c, static_cast<int>(i),
          link.is_share ? logit_spread(link.figure) : log_spread(link.figure));
    }
  }

  void of_finding(int f) {
    const Finding& finding = k_.findings[f];
    const ModelFinding& model = m_.findings[f];
    if (finding.prevalence && any_above_zero(model.prevalence))
      add(finding.id + " prevalence", Parameter::Kind::prevalence, f, 0, factor_spread(finding.prevalence->interval_factor));
    if (model.shape == Shape::discrete) {
      const double spread = finding.leak_table     ? factor_spread(finding.leak_table->interval_factor)
                            : finding.leak.empty() ? 0
                                                   : logit_spread(finding.leak[0]);
      add(finding.id + " by chance", Parameter::Kind::leak, f, 0, spread);
    }
    for (std::size_t i = 0; i < model.links.size(); ++i) {
      const auto [parent, figure] = link_figure(finding, model.links[i]);
      if (figure) add(finding.id + " | " + parent, Parameter::Kind::link, f, static_cast<int>(i), logit_spread(*figure));
    }
    for (std::size_t i = 0; i < model.shifts.size(); ++i) {
      const ShiftLink& link = model.shifts[i];
      const std::string& parent = link.is_cause ? k_.causes[link.index].id : k_.mechanisms[link.index].id;
      const Shift* shift = link.is_cause ? named(finding.cause_shifts, parent) : named(finding.mechanism_shifts, parent);
      if (!shift && link.is_cause) shift = named(k_.causes[link.index].measures, finding.id);
      if (shift)
        add(finding.id + " shift | " + parent, Parameter::Kind::shift, f, static_cast<int>(i),
            (shift->shift.high - shift->shift.low) / k95);
    }
  }

  std::pair<std::string, const Figure*> link_figure(const Finding& finding, const Link& link) const {
    const Grades* grades = nullptr;
    std::string parent;
    switch (link.parent) {
      case Parent::mechanism:
        parent = k_.mechanisms[link.index].id;
        grades = named(finding.mechanisms, parent);
        break;
      case Parent::cause:
        parent = k_.causes[link.index].id;
        grades = named(finding.causes, parent);
        if (!grades) grades = named(k_.causes[link.index].findings, finding.id);
        break;
      case Parent::stage: {
        const Course& course = k_.courses[link.index];
        parent = course.id + "." + course.stages[link.stage].id;
        grades = named(course.stages[link.stage].findings, finding.id);
        break;
      }
    }
    return {parent, grades && !grades->empty() ? &grades->front() : nullptr};
  }

  const Knowledge& k_;
  const Model& m_;
  std::vector<Parameter> out_;
};

}  // namespace

std::vector<Parameter> parameters(const Knowledge& knowledge, const Model& model) { return Lister(knowledge, model).all(); }

}  // namespace dorsalgia
