// The idea. Findings see a state only through its *signature*: which cause, which stage, which mechanisms are really
// active. Over the signatures, P(finding at most this grade) without its leak is a table made once: an answer costs one
// multiplication a signature, and the leak, which depends on age, one factor for all. Absent answers, which are most, cost
// less: of a noisy OR they come apart into a factor for each mechanism, cause and stage, and signatures are met once for all
// of them. Answers about context depend on the cause alone and are multiplied in before signatures are met.
//
// Levels never meet the other findings: what points to a place (where it hurts, a numb dermatome, a sensory level) is
// summed over the levels of a part of the canal for each *group* (cause, part of the canal, the mechanisms that place
// findings know). A *cell* is a signature in one part of the canal: its share of the levels times what its group's
// places say. Summing a signature's cells gives the mass by which its other findings are multiplied.
//
// Signatures are sorted by class (tumour or not, emergency or not), so that class sums are sums over ranges.
//
// What the simple story leaves out: unknown age or sex means one pass for each age band and sex it may be; measured
// values share their density between signatures with the same shift; "any of" answers are multiplied out signature by
// signature, and where two name the same finding, or one a place, the presentation is first taken apart.
#include "inference/exact.h"

#include "inference/lanes.h"
#include "inference/tables.h"

namespace dorsalgia {

ExactEngine::ExactEngine(const Model& model, const std::string& target) : t_(std::make_unique<Tables>(model, target)) {}
ExactEngine::~ExactEngine() = default;
ExactEngine::ExactEngine(ExactEngine&&) noexcept = default;
std::vector<std::string> ExactEngine::targets() {
  std::vector<std::string> out;
  for (const Lanes& its : lanes()) out.emplace_back(its.name);
  return out;
}
const Model& ExactEngine::model() const { return *t_->m; }
int ExactEngine::cells() const { return static_cast<int>(t_->cells.size()); }

Posterior ExactEngine::posterior(const Presentation& person, const CauseWeights& weights) const {
  return person.later.empty() ? t_->posterior(person, weights) : t_->visits().posterior(person, weights);
}

Posterior ExactEngine::outcomes(const Presentation& person) const { return t_->posterior(person, {}, false); }

Posterior ExactEngine::but_for_lasting(const Presentation& person) const { return t_->visits().but_for_lasting(person); }

std::vector<double> ExactEngine::carriers(const Posterior& posterior, int finding) const {
  const Model& m = *t_->m;
  std::vector<double> out(m.mechanisms.size(), 0.0);
  const ModelFinding& f = m.findings[finding];
  if (f.shape == Shape::context || f.shape == Shape::history) return {};
  const std::vector<double>& active = posterior.mechanisms;
  for (const Link& link : f.links)
    if (link.parent == Parent::mechanism) out[link.index] += active[link.index] * link.p[0];
  for (const ShiftLink& link : f.shifts)
    if (!link.is_cause) out[link.index] += active[link.index] * std::abs(link.shift);
  return out;
}

}  // namespace dorsalgia
