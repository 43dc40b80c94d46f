#include "batch/batch.h"

namespace dorsalgia {

struct BatchEngine::Tables {
  const Knowledge& k;
  const Model& m;
  const ExactEngine& exact;
  std::string profile;

  // One row by the exact engine.
  void row(const PeopleTable& people, int r, const Wanted& wanted, PosteriorTable& out) const {
    const Presentation person = person_of(people, m, r);
    const Posterior p = exact.posterior(person);
    const auto at = static_cast<std::size_t>(r), rows = static_cast<std::size_t>(people.rows);
    const auto column = [&](std::vector<float>& to, std::size_t i, double x) { to[i * rows + at] = static_cast<float>(x); };
    out.possible[at] = p.possible;
    column(out.tumour, 0, p.tumour), column(out.malignant, 0, p.malignant), column(out.emergency, 0, p.emergency);
    if (wanted.causes)
      for (std::size_t i = 0; i < p.causes.size(); ++i) column(out.causes, i, p.causes[i]);
    if (wanted.mechanisms)
      for (std::size_t i = 0; i < p.mechanisms.size(); ++i) column(out.mechanisms, i, p.mechanisms[i]);
    if (wanted.levels)
      for (std::size_t i = 0; i < p.levels.size(); ++i) column(out.levels, i, p.levels[i]);
    std::size_t flat = 0;
    if (wanted.stages)
      for (const auto& its : p.stages)
        for (double x : its) column(out.stages, flat++, x);
    if (wanted.forecast)
      for (std::size_t i = 0; i < p.compression.size(); ++i) column(out.compression, i, p.compression[i]);
    if (wanted.urgency) out.urgency[at] = static_cast<std::uint8_t>(triage(k, m, person, profile, &p).urgency);
  }
};

BatchEngine::BatchEngine(const Knowledge& knowledge, const Model& model, const ExactEngine& exact, const std::string& profile,
                         const std::string&)
    : t_(std::make_unique<Tables>(Tables{knowledge, model, exact, profile})) {}
BatchEngine::~BatchEngine() = default;
BatchEngine::BatchEngine(BatchEngine&&) noexcept = default;

std::vector<std::string> BatchEngine::targets() { return {"exact"}; }

const Model& BatchEngine::model() const { return t_->m; }

void BatchEngine::posterior(const PeopleTable& people, const Wanted& wanted, PosteriorTable& out) const {
  const auto n = static_cast<std::size_t>(people.rows);
  std::size_t stages = 0;
  for (const ModelCause& c : t_->m.causes) stages += t_->m.courses[static_cast<std::size_t>(c.course)].stages.size();
  out.rows = people.rows;
  out.possible.assign(n, 1);
  out.tumour.assign(n, 0), out.malignant.assign(n, 0), out.emergency.assign(n, 0);
  out.causes.assign(wanted.causes ? n * t_->m.causes.size() : 0, 0);
  out.mechanisms.assign(wanted.mechanisms ? n * t_->m.mechanisms.size() : 0, 0);
  out.levels.assign(wanted.levels ? n * t_->m.levels.size() : 0, 0);
  out.stages.assign(wanted.stages ? n * stages : 0, 0);
  out.compression.assign(wanted.forecast ? n * kForecastWeeks.size() : 0, 0);
  out.urgency.assign(wanted.urgency ? n : 0, 0);
  for (int r = 0; r < people.rows; ++r) t_->row(people, r, wanted, out);
}

}  // namespace dorsalgia
