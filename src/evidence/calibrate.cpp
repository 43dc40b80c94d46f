// The fit in four steps: lay each study out (which groups of people its figures count, which parameters they can feel); find the
// parameters that some figure feels; let Levenberg and Marquardt move them; keep draws of the normal approximation there.
// The work is in `derivatives`, by the chain rule through the model's own code (docs/decisions/calibration.md).
#include "evidence/calibrate.h"

#include <ceres/jet.h>
#include <ceres/tiny_solver.h>
#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <thread>

#include "evidence/population.h"
#include "knowledge/noise.h"

namespace dorsalgia {

namespace {

constexpr int kStride = 20;  // derivatives carried at once: a finding has at most 17 mechanisms, and 3 lanes more are shared
using Dual = ceres::Jet<double, kStride>;
using Eigen::Index;

constexpr double kLeast = 1e-9;  // of an expected share, so that logit and log stay finite
constexpr double kFelt = 0.01;   // a parameter that moves no figure by more standard deviations than this is left alone

bool is_ratio(const StudyFigure& f) { return f.kind == StudyFigure::Kind::likelihood_ratio || f.kind == StudyFigure::Kind::odds_ratio; }
bool is_share(const StudyFigure& f) { return f.kind == StudyFigure::Kind::share || f.kind == StudyFigure::Kind::recovery; }

template <class T>
T logit(const T& p) {
  using std::log;
  return log(p / (1.0 - p));
}
double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// One study laid out for a model: the groups of people whom its figures count, and the parameters that can matter to them.
struct Layout {
  const Study* study = nullptr;
  std::vector<const StudyFigure*> figures;
  std::vector<std::vector<int>> groups;  // by figure: index of its groups: of, of and has (and against, against and has)
  std::shared_ptr<const PopulationPlan> plan;
  std::vector<int> parameters;
  std::string trouble;
};

Layout lay_out(const Study& study, const Model& model, const std::vector<Parameter>& all,
               const std::function<bool(const StudyFigure&)>& wanted) {
  Layout out;
  out.study = &study;
  std::vector<Group> groups;
  const auto group = [&](const StudyFigure& f, const std::optional<Condition>& of, bool has) {
    Group g;
    if (study.who) g.all.push_back(&*study.who);
    if (of) g.all.push_back(&*of);
    if (has && f.has) g.all.push_back(&*f.has);
    if (has && f.kind == StudyFigure::Kind::recovery) g.recovered_weeks = f.weeks;
    groups.push_back(g);
    return static_cast<int>(groups.size()) - 1;
  };
  for (const StudyFigure& f : study.figures) {
    if (f.kind == StudyFigure::Kind::delay || !wanted(f)) continue;
    out.figures.push_back(&f);
    out.groups.push_back({group(f, f.of, false), group(f, f.of, true)});
    if (is_ratio(f)) out.groups.back().insert(out.groups.back().end(), {group(f, f.against, false), group(f, f.against, true)});
  }
  if (groups.empty()) return out;
  try {
    out.plan = std::make_shared<const PopulationPlan>(model, groups, study.setting);
  } catch (const std::invalid_argument& e) {
    out.trouble = e.what();
    return out;
  }
  std::set<int> findings;
  for (const auto& v : out.plan->variables)
    if (v.finding >= 0) findings.insert(v.finding);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Parameter& p = all[i];
    bool matters = false;
    switch (p.kind) {
      case Parameter::Kind::rate: matters = true; break;
      case Parameter::Kind::setting:
      case Parameter::Kind::cancers_in: matters = out.plan->setting < 0 || out.plan->setting == p.index; break;
      case Parameter::Kind::factor: matters = findings.count(model.causes[p.owner].context[p.index].finding) > 0; break;
      default: matters = findings.count(p.owner) > 0;
    }
    if (matters) out.parameters.push_back(static_cast<int>(i));
  }
  return out;
}

// What the model expects of each figure, on the figure's scale (logit or log).
template <class T>
std::vector<T> on_scale(const Layout& layout, const std::vector<T>& people) {
  using std::log;
  std::vector<T> out;
  const auto share = [&](int with, int of) {
    const T p = people[with] / people[of];
    return p < T(kLeast) ? T(kLeast) : p > T(1 - kLeast) ? T(1 - kLeast) : p;
  };
  for (std::size_t i = 0; i < layout.figures.size(); ++i) {
    const auto& g = layout.groups[i];
    switch (layout.figures[i]->kind) {
      case StudyFigure::Kind::likelihood_ratio: out.push_back(log(share(g[1], g[0])) - log(share(g[3], g[2]))); break;
      case StudyFigure::Kind::odds_ratio: out.push_back(logit(share(g[1], g[0])) - logit(share(g[3], g[2]))); break;
      default: out.push_back(logit(share(g[1], g[0])));
    }
  }
  return out;
}

std::vector<double> expected(const Layout& layout, const Model& model) { return on_scale(layout, weigh(model, *layout.plan)); }

enum Lane { kOfCause = 0, kOfStage = 1, kByChance = 2, kOfMechanism = 3 };

// The lane of a finding's parameter, and what of the state must match for it to be the one in that lane: at most one cause's
// and one stage's link is active in any state, so all of them share a lane.
struct Seed {
  int lane, cause = -1, course = -1, stage = -1;
};

Seed seed_of(const Model& m, const Parameter& p) {
  switch (p.kind) {
    case Parameter::Kind::factor: return {kOfCause, p.owner};
    case Parameter::Kind::link: {
      const Link& link = m.findings[p.owner].links[p.index];
      if (link.parent == Parent::mechanism) return {kOfMechanism + link.index};
      if (link.parent == Parent::cause) return {kOfCause, link.index};
      return {kOfStage, -1, link.index, link.stage};
    }
    case Parameter::Kind::shift: {
      const ShiftLink& link = m.findings[p.owner].shifts[p.index];
      return link.is_cause ? Seed{kOfCause, link.index} : Seed{kOfMechanism + link.index};
    }
    default: return {kByChance};
  }
}

// d(expected) / d(z) for one study: [figure, place in layout.parameters], by the chain rule in three steps of dual numbers
// through the model's own code: people by rates and settings; chances of conditions by the probabilities of what they name;
// those probabilities by the parameters of each finding.
Eigen::MatrixXd derivatives(const Layout& layout, const Model& model, const std::vector<Parameter>& all) {
  const PopulationPlan& plan = *layout.plan;
  const std::size_t groups = plan.trees.size(), strata = plan.strata.size();
  const std::vector<double> people = episodes(model, plan), chance = chances(model, plan);
  const std::vector<double> weights = total<double>(plan, people, chance);
  Eigen::MatrixXd of_groups = Eigen::MatrixXd::Zero(static_cast<Index>(groups), static_cast<Index>(layout.parameters.size()));

  ModelOf<Dual> dual = with_scalar<Dual>(model);
  std::vector<std::size_t> rates;
  struct Moved {
    Index parameter;
    Seed seed;
  };
  std::map<int, std::vector<Moved>> by_finding;
  for (std::size_t i = 0; i < layout.parameters.size(); ++i) {
    const Parameter& p = all[layout.parameters[i]];
    if (p.counts_people()) {
      rates.push_back(i);
      continue;
    }
    const Seed seed = seed_of(model, p);
    by_finding[p.kind == Parameter::Kind::factor ? model.causes[p.owner].context[p.index].finding : p.owner].push_back(
        {static_cast<Index>(i), seed});
    displace(dual, p, Dual(0.0, seed.lane));
  }

  for (std::size_t from = 0; from < rates.size(); from += kStride) {
    ModelOf<Dual> moved = with_scalar<Dual>(model);
    const std::size_t to = std::min(rates.size(), from + kStride);
    for (std::size_t i = from; i < to; ++i) displace(moved, all[layout.parameters[rates[i]]], Dual(0.0, static_cast<int>(i - from)));
    const std::vector<Dual> d = total<Dual>(plan, episodes(moved, plan), chance);
    for (std::size_t g = 0; g < groups; ++g)
      for (std::size_t i = from; i < to; ++i)
        of_groups(static_cast<Index>(g), static_cast<Index>(rates[i])) = d[g].v[static_cast<Index>(i - from)];
  }

  // Variables with parameters, their atoms laid out over lanes; as many passes as the atoms need.
  struct Seeded {
    int variable, atom;
  };
  std::vector<std::vector<Seeded>> passes;
  for (std::size_t v = 0; v < plan.variables.size(); ++v) {
    const auto& variable = plan.variables[v];
    if (variable.finding < 0 || !by_finding.count(variable.finding)) continue;
    const bool measured = variable.kind == PopulationPlan::Variable::Kind::measured;
    for (int a = measured ? 0 : 1; a < variable.atoms; ++a) {
      if (passes.empty() || passes.back().size() == kStride) passes.emplace_back();
      passes.back().push_back({static_cast<int>(v), a});
    }
  }
  Evaluation<Dual> of_parameters(dual, plan);
  for (const auto& pass : passes) {
    std::vector<int> lanes(plan.atoms, -1);
    for (std::size_t i = 0; i < pass.size(); ++i) lanes[plan.variables[pass[i].variable].first + pass[i].atom] = static_cast<int>(i);
    std::vector<int> touched;
    for (std::size_t g = 0; g < groups; ++g)
      if (std::any_of(pass.begin(), pass.end(), [&](const Seeded& s) { return plan.trees[g].uses[plan.variables[s.variable].finding]; }))
        touched.push_back(static_cast<int>(g));
    Evaluation<double, Dual> of_atoms(model, plan, std::move(lanes));
    Eigen::ArrayXd slope(static_cast<Index>(groups));
    for (std::size_t l = 0; l < plan.looks.size(); ++l) {
      const auto& look = plan.looks[l];
      of_atoms.look_at(look);
      of_parameters.look_at(look);
      const int course = model.causes[look.state.cause].course;
      for (std::size_t x = 0; x < strata; ++x) {
        const double* p = &chance[(l * strata + x) * groups];
        if (std::all_of(touched.begin(), touched.end(), [&](int g) { return p[g] == 0; })) continue;
        const double n = people_of(plan, people, look, x);
        if (n == 0) continue;
        of_atoms.stratum(x);
        of_parameters.stratum(x);
        std::vector<Dual> d;
        for (int g : touched) d.push_back(of_atoms.chance(g));
        for (std::size_t i = 0; i < pass.size(); ++i) {
          const auto& variable = plan.variables[pass[i].variable];
          const Dual& q = of_parameters.probabilities(pass[i].variable)[pass[i].atom];
          for (const Moved& moved : by_finding.at(variable.finding)) {
            const Seed& seed = moved.seed;
            if (seed.cause >= 0 && seed.cause != look.state.cause) continue;
            if (seed.course >= 0 && (seed.course != course || seed.stage != look.state.stage)) continue;
            const double by = n * q.v[seed.lane];
            if (by == 0) continue;
            for (std::size_t t = 0; t < touched.size(); ++t) of_groups(touched[t], moved.parameter) += by * d[t].v[static_cast<Index>(i)];
          }
        }
      }
    }
  }

  // Figures from groups, again by dual numbers: at most four groups a figure.
  Eigen::MatrixXd out(static_cast<Index>(layout.figures.size()), of_groups.cols());
  for (std::size_t f = 0; f < layout.figures.size(); ++f) {
    Layout one;
    one.figures = {layout.figures[f]};
    one.groups = {layout.groups[f]};
    std::vector<Dual> w;
    for (double weight : weights) w.emplace_back(weight);
    for (std::size_t i = 0; i < layout.groups[f].size(); ++i)
      w[layout.groups[f][i]] = Dual(weights[layout.groups[f][i]], static_cast<int>(i));
    const Dual e = on_scale(one, w)[0];
    out.row(static_cast<Index>(f)).setZero();
    for (std::size_t i = 0; i < layout.groups[f].size(); ++i)
      out.row(static_cast<Index>(f)) += e.v[static_cast<Index>(i)] * of_groups.row(layout.groups[f][i]);
  }
  return out;
}

// Runs use(i) for every i below n on all cores; each i writes only to its own place, so the result is the same.
void in_parallel(std::size_t n, const std::function<void(std::size_t)>& use, const std::function<void(double)>& progress = {}) {
  std::atomic<std::size_t> next{0}, done{0};
  auto work = [&](bool tells) {
    for (std::size_t i = next++; i < n; i = next++) {
      use(i);
      ++done;
      if (tells && progress) progress(static_cast<double>(done) / static_cast<double>(n));
    }
  };
  std::vector<std::thread> others;
  for (unsigned t = 1; t < std::max(1u, std::thread::hardware_concurrency()); ++t) others.emplace_back(work, false);
  work(true);
  for (auto& t : others) t.join();
}

double events_of(const StudyFigure& f) { return f.value * f.total; }

// Observed, on the figure's scale, with half a person added on both sides of a share.
double observed(const StudyFigure& f) { return is_share(f) ? logit((events_of(f) + 0.5) / (f.total + 1)) : std::log(f.value); }
double sampling_sd(const StudyFigure& f) {
  if (is_share(f)) return f.total > 0 ? std::sqrt(1 / (events_of(f) + 0.5) + 1 / (f.total - events_of(f) + 0.5)) : 0;
  return f.low > 0 && f.high > f.low ? std::log(f.high / f.low) / (2 * 1.959964) : 0;
}

// The signed root of the deviance, so that half its square is minus the log likelihood.
template <class T>
T residual(const StudyFigure& f, const T& e) {
  using std::exp;
  using std::log;
  using std::sqrt;
  if (!is_share(f)) return (e - observed(f)) / std::hypot(sampling_sd(f), kBetweenStudies);
  const double p0 = (events_of(f) + 0.5) / (f.total + 1);
  const double n = 1 / (1 / f.total + kBetweenStudies * kBetweenStudies * p0 * (1 - p0)), k = f.value * n;
  const T p = 1.0 / (1.0 + exp(-e));
  const T pearson = (n * p - k) / sqrt(n * p * (1.0 - p));
  if (pearson < T(1e-3) && pearson > T(-1e-3)) return pearson;
  T deviance(0.0);
  if (k > 0) deviance += 2.0 * k * log(k / (n * p));
  if (n - k > 0) deviance += 2.0 * (n - k) * log((n - k) / (n * (1.0 - p)));
  if (deviance < T(1e-12)) return pearson;
  return pearson > T(0.0) ? sqrt(deviance) : T(-sqrt(deviance));
}

std::string full_name(const Study& s, const StudyFigure& f) { return s.id + "." + f.id; }

// Residuals of all figures, then of the priors, over the chosen parameters.
class Problem {
 public:
  using Scalar = double;
  enum { NUM_RESIDUALS = Eigen::Dynamic, NUM_PARAMETERS = Eigen::Dynamic };

  Problem(const Model& model, const std::vector<Parameter>& all, const std::vector<Layout>& layouts, std::vector<int> chosen,
          std::function<void(int, double)> progress)
      : model_(model), all_(all), layouts_(layouts), chosen_(std::move(chosen)), progress_(std::move(progress)) {
    place_.assign(all.size(), -1);
    for (std::size_t i = 0; i < chosen_.size(); ++i) place_[chosen_[i]] = static_cast<int>(i);
    for (const Layout& l : layouts_) first_.push_back(figures_), figures_ += static_cast<int>(l.figures.size());
    for (const Layout& l : layouts_) {
      reduced_.push_back(l);
      auto& p = reduced_.back().parameters;
      p.erase(std::remove_if(p.begin(), p.end(), [&](int i) { return place_[i] < 0; }), p.end());
    }
  }

  int NumResiduals() const { return figures_ + NumParameters(); }
  int NumParameters() const { return static_cast<int>(chosen_.size()); }
  int figures() const { return figures_; }
  int evaluations() const { return evaluations_; }

  bool operator()(const double* z, double* residuals, double* jacobian) const {
    Model moved = model_;
    for (std::size_t i = 0; i < chosen_.size(); ++i) displace(moved, all_[chosen_[i]], z[i]);
    const int rows = NumResiduals();
    if (jacobian) std::fill_n(jacobian, static_cast<std::size_t>(rows) * chosen_.size(), 0.0);
    in_parallel(layouts_.size(), [&](std::size_t l) {
      const Layout& layout = layouts_[l];
      const std::vector<double> e = expected(layout, moved);
      for (std::size_t f = 0; f < e.size(); ++f) residuals[first_[l] + static_cast<int>(f)] = residual(*layout.figures[f], e[f]);
      if (!jacobian) return;
      const Layout& reduced = reduced_[l];
      const Eigen::MatrixXd d = derivatives(reduced, moved, all_);
      for (std::size_t f = 0; f < e.size(); ++f) {
        const Dual r = residual(*layout.figures[f], Dual(e[f], 0));
        for (std::size_t i = 0; i < reduced.parameters.size(); ++i)
          jacobian[static_cast<std::size_t>(place_[reduced.parameters[i]]) * rows + first_[l] + f] =
              r.v[0] * d(static_cast<Index>(f), static_cast<Index>(i));
      }
    });
    double cost = 0;
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      residuals[figures_ + static_cast<int>(i)] = z[i];
      if (jacobian) jacobian[i * rows + figures_ + i] = 1;
    }
    for (int i = 0; i < rows; ++i) cost += residuals[i] * residuals[i] / 2;
    if (jacobian && progress_) progress_(++evaluations_, cost);
    return std::isfinite(cost);
  }

 private:
  const Model& model_;
  const std::vector<Parameter>& all_;
  const std::vector<Layout>& layouts_;
  std::vector<int> chosen_, place_, first_;
  std::vector<Layout> reduced_;
  std::function<void(int, double)> progress_;
  int figures_ = 0;
  mutable int evaluations_ = 0;
};

double number(const Model& m, const Parameter& p) {
  switch (p.kind) {
    case Parameter::Kind::rate: return m.causes[p.owner].rate[0][5];
    case Parameter::Kind::setting: return m.causes[p.owner].settings[p.index];
    case Parameter::Kind::cancers_in:
      for (const ModelCause& c : m.causes)
        if (c.id == "met_lung") return c.settings[p.index];
      return 1;
    case Parameter::Kind::link: return m.findings[p.owner].links[p.index].p[0];
    case Parameter::Kind::leak: return m.findings[p.owner].leak[0][0][5];
    case Parameter::Kind::prevalence: return m.findings[p.owner].prevalence[0][5];
    case Parameter::Kind::factor: return m.causes[p.owner].context[p.index].value;
    case Parameter::Kind::shift: return m.findings[p.owner].shifts[p.index].shift;
  }
  return 0;
}

}  // namespace

std::vector<Expectation> expectations(const Knowledge& knowledge, const Model& model, const std::vector<Study>& studies,
                                      const std::function<void(double)>& progress) {
  const std::vector<Parameter> all = parameters(knowledge, model);
  std::map<std::string, std::size_t> fitted;
  for (std::size_t i = 0; i < knowledge.fitted.parameters.size(); ++i) fitted[knowledge.fitted.parameters[i]] = i;

  std::vector<std::vector<Expectation>> by_study(studies.size());
  in_parallel(
      studies.size(),
      [&](std::size_t s) {
        const Study& study = studies[s];
        const Layout layout = lay_out(study, model, all, [](const StudyFigure&) { return true; });
        std::vector<double> e;
        Eigen::MatrixXd d;
        if (layout.plan) {
          e = expected(layout, model);
          d = derivatives(layout, model, all);
        }
        for (const StudyFigure& f : study.figures) {
          Expectation x;
          x.study = &study;
          x.figure = &f;
          const auto at = std::find(layout.figures.begin(), layout.figures.end(), &f);
          if (at == layout.figures.end() || !layout.plan) {
            x.left_out = f.kind == StudyFigure::Kind::delay ? "a delay: see `dorsalgia trial`" : layout.trouble;
            by_study[s].push_back(std::move(x));
            continue;
          }
          const auto row = static_cast<Index>(at - layout.figures.begin());
          const double expected_here = e[static_cast<std::size_t>(row)];
          if (!std::isfinite(expected_here)) {
            x.left_out = "no such people in the model";
            by_study[s].push_back(std::move(x));
            continue;
          }
          double variance = 0;
          std::vector<double> over_draws(knowledge.fitted.draws.size(), 0.0);
          for (std::size_t i = 0; i < layout.parameters.size(); ++i) {
            const double g = d(row, static_cast<Index>(i));
            if (g == 0) continue;
            x.gradient.emplace_back(layout.parameters[i], g);
            const auto it = fitted.find(all[layout.parameters[i]].id);
            if (it == fitted.end()) variance += g * g;
            else
              for (std::size_t draw = 0; draw < over_draws.size(); ++draw)
                over_draws[draw] += g * (knowledge.fitted.draws[draw][it->second] - knowledge.fitted.mean[it->second]);
          }
          for (double y : over_draws) variance += y * y / static_cast<double>(over_draws.size());
          x.model_sd = std::sqrt(variance);
          x.observed_sd = sampling_sd(f);
          const double sd = std::sqrt(variance + x.observed_sd * x.observed_sd + kBetweenStudies * kBetweenStudies);
          x.distance = (observed(f) - expected_here) / sd;
          x.inside = std::abs(x.distance) <= 1.959964;
          const auto back = [&](double y) { return is_share(f) ? logistic(y) : std::exp(y); };
          x.expected = back(expected_here);
          x.low = back(expected_here - 1.959964 * sd);
          x.high = back(expected_here + 1.959964 * sd);
          by_study[s].push_back(std::move(x));
        }
      },
      progress);
  std::vector<Expectation> out;
  for (auto& some : by_study)
    for (auto& x : some) out.push_back(std::move(x));
  return out;
}

Calibrated calibrate(const Knowledge& hand_written, const std::vector<Study>& studies, const std::function<void(int, double)>& progress) {
  Calibrated out;
  Knowledge knowledge = hand_written;
  knowledge.fitted = {};
  const Model model = compile(knowledge);
  const std::vector<Parameter> all = parameters(knowledge, model);
  out.fitted.unfitted = model.hash;

  std::vector<Layout> layouts;
  for (const Study& s : studies) {
    Layout l = lay_out(s, model, all, [](const StudyFigure& f) { return f.use == Use::calibration; });
    if (!l.plan) continue;
    // A figure about people of whom the model has none tells nothing.
    const std::vector<double> e = expected(l, model);
    for (std::size_t i = e.size(); i-- > 0;)
      if (!std::isfinite(e[i]))
        l.figures.erase(l.figures.begin() + static_cast<std::ptrdiff_t>(i)),
            l.groups.erase(l.groups.begin() + static_cast<std::ptrdiff_t>(i));
    if (!l.figures.empty()) layouts.push_back(std::move(l));
  }
  if (layouts.empty()) {
    out.trouble = "no study has a figure with use: calibration";
    return out;
  }

  // Parameters that some figure feels.
  std::vector<double> felt(all.size(), 0);
  std::vector<Eigen::MatrixXd> slopes(layouts.size());
  std::vector<std::vector<double>> before(layouts.size());
  in_parallel(layouts.size(), [&](std::size_t l) {
    before[l] = expected(layouts[l], model);
    slopes[l] = derivatives(layouts[l], model, all);
  });
  for (std::size_t l = 0; l < layouts.size(); ++l)
    for (std::size_t f = 0; f < layouts[l].figures.size(); ++f)
      for (std::size_t i = 0; i < layouts[l].parameters.size(); ++i) {
        const double sd = std::hypot(sampling_sd(*layouts[l].figures[f]), kBetweenStudies);
        double& x = felt[layouts[l].parameters[i]];
        x = std::max(x, std::abs(slopes[l](static_cast<Index>(f), static_cast<Index>(i))) / sd);
      }
  std::vector<int> chosen;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (felt[i] >= kFelt) chosen.push_back(static_cast<int>(i));

  const Problem problem(model, all, layouts, chosen, progress);
  out.figures = problem.figures();
  ceres::TinySolver<Problem> solver;
  solver.options.max_num_iterations = 40;
  solver.options.gradient_tolerance = 1e-6;
  solver.options.parameter_tolerance = 1e-6;
  Eigen::VectorXd z = Eigen::VectorXd::Zero(problem.NumParameters());
  const auto summary = solver.Solve(problem, &z);
  out.iterations = summary.iterations;
  if (summary.status == ceres::TinySolver<Problem>::HIT_MAX_ITERATIONS) {
    out.trouble = fmt::format("the fit had not settled after {} steps; nothing is written", summary.iterations);
    return out;
  }
  out.cost_before = summary.initial_cost;
  out.cost_after = summary.final_cost;

  Eigen::VectorXd r(problem.NumResiduals());
  Eigen::MatrixXd j(problem.NumResiduals(), problem.NumParameters());
  if (!z.allFinite() || !problem(z.data(), r.data(), j.data()) || !j.allFinite()) {
    out.trouble = "the fit ran away: some expected figure is not a number";
    return out;
  }
  const Eigen::LLT<Eigen::MatrixXd> llt(j.transpose() * j);
  if (llt.info() != Eigen::Success || llt.rcond() < 1e-13) {
    out.trouble = "the covariance at the optimum is singular: two parameters cannot be told apart; give one of them a prior spread";
    return out;
  }
  const Eigen::MatrixXd covariance = llt.solve(Eigen::MatrixXd::Identity(z.size(), z.size()));

  Model after = model;
  for (std::size_t i = 0; i < chosen.size(); ++i) displace(after, all[chosen[i]], std::round(z[static_cast<Index>(i)] * 1000) / 1000);
  std::vector<std::string> names;
  std::vector<const StudyFigure*> figures;
  for (const Layout& l : layouts)
    for (const StudyFigure* f : l.figures) names.push_back(full_name(*l.study, *f)), figures.push_back(f);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const auto at = static_cast<Index>(i);
    const Parameter& p = all[chosen[i]];
    out.fitted.parameters.push_back(p.id);
    out.fitted.mean.push_back(std::round(z[at] * 1000) / 1000);
    out.fitted.sd.push_back(std::round(std::sqrt(covariance(at, at)) * 1000) / 1000);
    Moved m{p.id, out.fitted.mean.back(), out.fitted.sd.back(), number(model, p), number(after, p), {}};
    // At the optimum the figures' pulls on a parameter add up to its z.
    std::vector<std::pair<double, int>> pulls;
    for (int f = 0; f < problem.figures(); ++f) pulls.emplace_back(-r[f] * j(f, at) * (z[at] < 0 ? -1 : 1), f);
    std::sort(pulls.begin(), pulls.end(),
              [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
    for (std::size_t k = 0; k < pulls.size() && k < 3 && pulls[k].first > 0.1 * std::abs(z[at]); ++k)
      m.pulled_by.push_back(names[pulls[k].second]);
    out.moved.push_back(std::move(m));
  }
  std::sort(out.moved.begin(), out.moved.end(), [](const Moved& a, const Moved& b) {
    return std::abs(a.z) != std::abs(b.z) ? std::abs(a.z) > std::abs(b.z) : a.parameter < b.parameter;
  });
  int row = 0;
  for (std::size_t l = 0; l < layouts.size(); ++l) {
    const std::vector<double> now = expected(layouts[l], after);
    for (std::size_t f = 0; f < layouts[l].figures.size(); ++f, ++row) {
      const StudyFigure& figure = *layouts[l].figures[f];
      const double sd = std::hypot(sampling_sd(figure), kBetweenStudies);
      const double e = now[f];
      const auto back = [&](double y) { return is_share(figure) ? logistic(y) : std::exp(y); };
      const Conflict c{
          names[row], figure.value, back(before[l][f]), back(e), (observed(figure) - before[l][f]) / sd, (observed(figure) - e) / sd};
      if (std::max(std::abs(c.distance_before), std::abs(c.distance_after)) >= 2) out.conflicts.push_back(c);
    }
  }
  std::sort(out.conflicts.begin(), out.conflicts.end(), [](const Conflict& a, const Conflict& b) {
    return std::abs(a.distance_after) != std::abs(b.distance_after) ? std::abs(a.distance_after) > std::abs(b.distance_after)
                                                                    : a.figure < b.figure;
  });
  Eigen::VectorXd noises(z.size());
  for (int d = 0; d < kDraws; ++d) {
    for (Index i = 0; i < z.size(); ++i) noises[i] = noise(static_cast<std::size_t>(d), static_cast<std::size_t>(i));
    const Eigen::VectorXd draw = z + llt.matrixU().solve(noises);
    std::vector<float> rounded;
    for (Index i = 0; i < draw.size(); ++i) rounded.push_back(static_cast<float>(std::round(draw[i] * 100) / 100));
    out.fitted.draws.push_back(std::move(rounded));
  }
  return out;
}

std::string fitted_yaml(const Calibrated& c, const std::vector<Study>& studies) {
  std::string out =
      "# Made by `dorsalgia calibrate` from the hand-written numbers and the studies named below. Do not edit: `make calibrate`.\n"
      "# moved and sd are in prior standard deviations of the parameter; from and to are the number before and after\n"
      "# (of a table by age: men of 60 to 69). Each line of draws is one draw of all parameters, in hundredths.\n";
  out += fmt::format("unfitted_model: \"{}\"\nbetween_studies: {:g}\nstudies:\n", c.fitted.unfitted, kBetweenStudies);
  for (const Study& s : studies)
    if (std::any_of(s.figures.begin(), s.figures.end(), [](const StudyFigure& f) { return f.use == Use::calibration; }))
      out += "  - " + s.id + "\n";
  out += "parameters:\n";
  std::map<std::string, const Moved*> by_name;
  for (const Moved& m : c.moved) by_name[m.parameter] = &m;
  for (const std::string& id : c.fitted.parameters) {
    const Moved& m = *by_name.at(id);
    out += fmt::format("  \"{}\": {{moved: {:.3f}, sd: {:.3f}, from: {:.4g}, to: {:.4g}}}\n", id, m.z, m.sd, m.from, m.to);
  }
  out += "draws:\n";
  for (const auto& draw : c.fitted.draws) {
    out += "  - \"";
    for (std::size_t i = 0; i < draw.size(); ++i) out += fmt::format("{}{}", i ? " " : "", std::lround(draw[i] * 100));
    out += "\"\n";
  }
  return out;
}

}  // namespace dorsalgia
