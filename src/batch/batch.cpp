#include "batch/batch.h"

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include "batch/lanes.h"
#include "batch/urgency.h"

namespace dorsalgia {

namespace {

NamedKernel kernel_called(const std::string& target) {
  for (const NamedKernel& its : lane_kernels())
    if (target.empty() || target == its.name) return its;
  throw std::invalid_argument("this machine has no instruction set called " + target);
}

// What works on one chunk at a time, and what it needs room for.
struct Worker {
  std::unique_ptr<LaneKernel> kernel;
  LaneChunk chunk;
  std::vector<Known> conditions;
};

}  // namespace

struct BatchEngine::Tables {
  const Knowledge& k;
  const Model& m;
  const ExactEngine& exact;
  NamedKernel kernel;
  Space space;
  LaneTables lanes;
  UrgencyRules urgency;
  std::mutex lock;
  std::vector<std::unique_ptr<Worker>> idle;  // behind the lock

  Tables(const Knowledge& knowledge, const Model& model, const ExactEngine& engine, const std::string& profile, const std::string& target)
      : k(knowledge),
        m(model),
        exact(engine),
        kernel(kernel_called(target)),
        space(model),
        lanes(model, space, kernel.lanes),
        urgency(knowledge, model, profile) {}

  std::unique_ptr<Worker> take() {
    {
      const std::lock_guard<std::mutex> guard(lock);
      if (!idle.empty()) {
        std::unique_ptr<Worker> out = std::move(idle.back());
        idle.pop_back();
        return out;
      }
    }
    return std::make_unique<Worker>(Worker{kernel.make(lanes), {}, {}});
  }
  void give_back(std::unique_ptr<Worker> worker) {
    const std::lock_guard<std::mutex> guard(lock);
    idle.push_back(std::move(worker));
  }

  // Which columns go in the lanes, and which rows do not.
  void make_ready(LaneChunk& c) const {
    const PeopleTable& people = *c.people;
    c.discrete.clear(), c.context.clear();
    for (std::size_t i = 0; i < people.graded.size(); ++i) {
      const auto& column = people.graded[i];
      const ModelFinding& f = m.findings[static_cast<std::size_t>(column.finding)];
      const bool about_context = f.shape == Shape::context || f.shape == Shape::history;
      (about_context ? c.context : c.discrete).push_back(static_cast<int>(i));
      if (!about_context) {
        if (lanes.finding[static_cast<std::size_t>(column.finding)].graded_with_exceptions)
          c.planes.present[i].each([&](std::size_t r) { c.odd[r] = 1; });
        continue;
      }
      // A factor that nobody of this age has excludes every cause but those that bring it: rare, and left to the exact engine.
      const ContextLanes& its = lanes.context[static_cast<std::size_t>(column.finding)];
      if (its.always_possible) continue;
      c.planes.present[i].each([&](std::size_t r) {
        const auto share = [&](int at) { return lanes.chance[static_cast<std::size_t>(at)][static_cast<std::size_t>(its.number)]; };
        if (share(c.low[r]) + c.w[r] * (share(c.high[r]) - share(c.low[r])) <= 0) c.odd[r] = 1;
        const int grade = column.grade[r];
        if (f.shape == Shape::history && grade < kHistoryBins && !its.bin_possible[static_cast<std::size_t>(grade)]) c.odd[r] = 1;
      });
    }
  }

  // One row by the exact engine.
  void row(const PeopleTable& people, std::size_t r, const Wanted& wanted, PosteriorTable& out) const {
    const Posterior p = exact.posterior(person_of(people, m, static_cast<int>(r)));
    const auto rows = static_cast<std::size_t>(people.rows);
    const auto give = [&](Floats& to, std::size_t column, double x) { to[column * rows + r] = p.possible ? static_cast<float>(x) : 0; };
    out.possible[r] = p.possible;
    give(out.tumour, 0, p.tumour), give(out.malignant, 0, p.malignant), give(out.emergency, 0, p.emergency);
    if (wanted.causes)
      for (std::size_t i = 0; i < p.causes.size(); ++i) give(out.causes, i, p.causes[i]);
    if (wanted.mechanisms)
      for (std::size_t i = 0; i < p.mechanisms.size(); ++i) give(out.mechanisms, i, p.mechanisms[i]);
    if (wanted.levels)
      for (std::size_t i = 0; i < p.levels.size(); ++i) give(out.levels, i, p.levels[i]);
    std::size_t flat = 0;
    if (wanted.stages)
      for (const auto& its : p.stages)
        for (double x : its) give(out.stages, flat++, x);
    if (wanted.forecast)
      for (std::size_t i = 0; i < p.compression.size(); ++i) give(out.compression, i, p.compression[i]);
  }
};

BatchEngine::BatchEngine(const Knowledge& knowledge, const Model& model, const ExactEngine& exact, const std::string& profile,
                         const std::string& target)
    : t_(std::make_unique<Tables>(knowledge, model, exact, profile, target)) {}
BatchEngine::~BatchEngine() = default;
BatchEngine::BatchEngine(BatchEngine&&) noexcept = default;

std::vector<std::string> BatchEngine::targets() {
  std::vector<std::string> out;
  for (const NamedKernel& its : lane_kernels()) out.emplace_back(its.name);
  return out;
}

const Model& BatchEngine::model() const { return t_->m; }

void BatchEngine::posterior(const PeopleTable& people, const Wanted& wanted, PosteriorTable& out) const {
  const auto n = static_cast<std::size_t>(people.rows);
  const auto columns = [&](bool want, int count) { return want ? n * static_cast<std::size_t>(count) : 0; };
  out.rows = people.rows;
  out.possible.assign(n, 1);
  out.tumour.resize(n), out.malignant.resize(n), out.emergency.resize(n);
  out.causes.resize(columns(wanted.causes, t_->lanes.causes));
  out.mechanisms.resize(columns(wanted.mechanisms, t_->lanes.mechanisms));
  out.levels.resize(columns(wanted.levels, t_->lanes.places));
  out.stages.resize(columns(wanted.stages, t_->lanes.told_stages));
  out.compression.resize(columns(wanted.forecast, kForecastWeeks.size()));
  out.urgency.resize(columns(wanted.urgency, 1));
  if (n == 0) return;
  std::unique_ptr<Worker> worker = t_->take();
  LaneChunk& chunk = worker->chunk;
  worker->kernel->read(people, chunk);
  t_->make_ready(chunk);
  worker->kernel->run(chunk, wanted, out);
  for (std::size_t r = 0; r < n; ++r)
    if (chunk.odd[r]) t_->row(people, r, wanted, out);
  if (wanted.urgency) t_->urgency.add(people, chunk.planes, t_->kernel, worker->conditions, out);
  t_->give_back(std::move(worker));
}

}  // namespace dorsalgia
