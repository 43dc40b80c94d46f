#include "evidence/population.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>

#include "course/chain.h"

namespace dorsalgia {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kOldest = 95;
constexpr int kMostCombinations = 4096;

using Plan = PopulationPlan;
using Kind = Condition::Kind;
using NodeKind = Plan::Node::Kind;

void each(const Condition& c, const std::function<void(const Condition&)>& use) {
  use(c);
  for (const Condition& child : c.of) each(child, use);
}

class Builder {
 public:
  Builder(const Model& m, Plan& plan) : m_(m), plan_(plan) {}

  // Ages and thresholds at which some condition changes its mind.
  void cut(const std::vector<Group>& groups) {
    age_cuts_ = {0, kOldest};
    for (int b = 1; b < kAgeBands; ++b) age_cuts_.insert(kAgeFrom[b]);
    for (const Group& g : groups)
      for (const Condition* all : g.all)
        each(*all, [&](const Condition& c) {
          if (c.kind == Kind::age) {
            if (c.low) age_cuts_.insert(std::clamp(*c.low, 0.0, kOldest));
            if (c.high) age_cuts_.insert(std::clamp(*c.high + 1, 0.0, kOldest));  // "up to 74" is until the 75th birthday
          }
          auto& cuts = c.kind == Kind::duration ? cuts_[-1] : c.kind == Kind::measured ? cuts_[c.finding] : unused_;
          if (c.low) cuts.insert(*c.low);
          if (c.high) cuts.insert(*c.high);
        });
  }

  void strata() {
    for (auto from = age_cuts_.begin(); std::next(from) != age_cuts_.end(); ++from) {
      const double low = *from, high = *std::next(from);
      int band = kAgeBands - 1;
      while (band > 0 && kAgeFrom[band] > low) --band;
      const double band_high = band + 1 < kAgeBands ? kAgeFrom[band + 1] : kOldest;
      // A whole band stands at its own middle, where the tables are written.
      const double age = low == kAgeFrom[band] && high == band_high ? kAgeMiddle[band] : (low + high) / 2;
      for (Sex sex : {Sex::male, Sex::female})
        plan_.strata.push_back({age, sex, m_.people[static_cast<int>(sex)][band] * (high - low) / (band_high - kAgeFrom[band])});
    }
  }

  void tree(const Group& group) {
    Plan::Node root;
    root.kind = NodeKind::all;
    for (const Condition* c : group.all) root.children.push_back(node(*c));
    if (group.recovered_weeks > 0) root.children.push_back(leaf(recovered(group.recovered_weeks), 2));
    int index = add(std::move(root));
    index = fold_repeated(index);
    std::map<int, int> uses;
    count_uses(index, uses);
    Plan::Tree out{index, {}, {}};
    double combinations = 1;
    for (const auto& [v, n] : uses)
      if (n > 1) out.shared.push_back(v), combinations *= plan_.variables[v].atoms;
    if (combinations > kMostCombinations)
      throw std::invalid_argument(
          fmt::format("a condition names {} findings more than once: too many combinations to sum", out.shared.size()));
    out.uses.assign(m_.findings.size(), false);
    mark(index, out.uses);
    plan_.trees.push_back(std::move(out));
  }

  void looks() {
    std::map<std::vector<double>, std::size_t> known;
    int flat_stages = 0;
    for (std::size_t c = 0; c < m_.causes.size(); ++c) {
      const ModelCause& cause = m_.causes[c];
      const ModelCourse& course = m_.courses[cause.course];
      const int n = static_cast<int>(course.stages.size());
      std::array<std::vector<double>, kCanals> ever;  // by pace
      std::array<int, kCanals> offset{};              // by pace: flat index of the first stage
      for (const int pace : paces(course)) {
        const Chain chain(course, cause.tempo, static_cast<Canal>(pace));
        ever[pace].resize(n);
        chain.within(0, kInfinity, ever[pace].data());
        tables(chain, ever[pace]);
        offset[pace] = flat_stages;
        flat_stages += n;
      }
      for (int variant = 0; variant < 2; ++variant) {
        const double share = variant == 0 ? 1 - cause.accompanied : cause.accompanied;
        if (share <= 0) continue;
        for (int k = 0; k < n; ++k)
          for (std::size_t l = 0; l < m_.levels.size(); ++l) {
            const int pace = course.pace(m_.levels[l].canal);
            const double people = share * ever[pace][k] * cause.levels[l];
            if (people <= 0) continue;
            const int index = static_cast<int>(c), level = static_cast<int>(l);
            const State s{index, variant, k, level, active(m_, index, variant, k, m_.levels[l].canal)};
            const auto [it, fresh] = known.try_emplace(look_of(s, offset[pace] + k), plan_.looks.size());
            if (fresh) plan_.looks.push_back({s, offset[pace] + k, {}});
            auto& its = plan_.looks[it->second].people;
            if (its.empty() || its.back().first != index) its.emplace_back(index, 0.0);
            its.back().second += people;
          }
      }
    }
  }

 private:
  // The parts of the canal that stand for all in which a course is equally fast.
  static std::vector<int> paces(const ModelCourse& course) {
    std::vector<int> out;
    for (int canal = 0; canal < kCanals; ++canal)
      if (course.pace(static_cast<Canal>(canal)) == canal) out.push_back(canal);
    return out;
  }

  int add(Plan::Node node) {
    // What is true or false of a whole look comes first: most products end there.
    std::stable_partition(node.children.begin(), node.children.end(), [&](int child) {
      const NodeKind kind = plan_.nodes[child].kind;
      return kind >= NodeKind::causes;
    });
    plan_.nodes.push_back(std::move(node));
    return static_cast<int>(plan_.nodes.size()) - 1;
  }

  int leaf(int variable, std::uint32_t atoms) {
    Plan::Node n;
    n.kind = NodeKind::leaf;
    n.variable = variable;
    n.atoms = atoms;
    return add(std::move(n));
  }

  int variable(Plan::Variable::Kind kind, int finding, double weeks = 0) {
    for (std::size_t v = 0; v < plan_.variables.size(); ++v)
      if (plan_.variables[v].kind == kind && plan_.variables[v].finding == finding && plan_.variables[v].weeks == weeks &&
          kind != Plan::Variable::Kind::composite)
        return static_cast<int>(v);
    Plan::Variable out;
    out.kind = kind;
    out.finding = finding;
    out.weeks = weeks;
    if (kind == Plan::Variable::Kind::measured || kind == Plan::Variable::Kind::duration) {
      const bool time = kind == Plan::Variable::Kind::duration;
      out.cuts.push_back(time ? 0 : -kInfinity);
      for (double x : cuts_[time ? -1 : finding])
        if (x > out.cuts.back()) out.cuts.push_back(x);
      out.cuts.push_back(kInfinity);
      out.atoms = static_cast<int>(out.cuts.size()) - 1;
    }
    if (kind == Plan::Variable::Kind::location) out.atoms = static_cast<int>(m_.locations.size());
    out.first = plan_.atoms;
    plan_.atoms += out.atoms;
    plan_.variables.push_back(std::move(out));
    plan_.duration.emplace_back();
    plan_.recovered.emplace_back();
    return static_cast<int>(plan_.variables.size()) - 1;
  }

  int recovered(double weeks) { return variable(Plan::Variable::Kind::recovered, -1, weeks); }

  int between(int v, const Condition& c) {
    const auto& cuts = plan_.variables[v].cuts;
    std::uint32_t atoms = 0;
    for (int a = 0; a < plan_.variables[v].atoms; ++a)
      if ((!c.low || cuts[a] >= *c.low) && (!c.high || cuts[a + 1] <= *c.high)) atoms |= std::uint32_t{1} << a;
    return leaf(v, atoms);
  }

  int present(int finding) {
    const Shape shape = m_.findings[finding].shape;
    return leaf(variable(shape == Shape::discrete ? Plan::Variable::Kind::discrete : Plan::Variable::Kind::context, finding), 2);
  }

  int node(const Condition& c) {
    Plan::Node n;
    auto children = [&] {
      for (const Condition& child : c.of) n.children.push_back(node(child));
    };
    switch (c.kind) {
      case Kind::all: n.kind = NodeKind::all, children(); break;
      case Kind::any: n.kind = NodeKind::any, children(); break;
      case Kind::none: n.kind = NodeKind::none, children(); break;
      case Kind::at_least: n.kind = NodeKind::at_least, n.count = c.count, children(); break;
      case Kind::finding: return c.of.empty() ? present(c.finding) : node(c.of[0]);
      case Kind::any_cancer_history:
        n.kind = NodeKind::any;
        for (std::size_t f = 0; f < m_.findings.size(); ++f)
          if (m_.findings[f].shape == Shape::history) n.children.push_back(present(static_cast<int>(f)));
        break;
      case Kind::age:
        n.kind = NodeKind::ages;
        n.low = c.low.value_or(-kInfinity);
        n.high = c.high ? *c.high + 1 : kInfinity;
        break;
      case Kind::sex: n.kind = NodeKind::sex, n.wanted = c.id == "male" ? Sex::male : Sex::female; break;
      case Kind::duration: return between(variable(Plan::Variable::Kind::duration, -1), c);
      case Kind::measured: return between(variable(Plan::Variable::Kind::measured, c.finding), c);
      case Kind::location: {
        std::uint32_t atoms = 0;
        for (std::size_t i = 0; i < m_.locations.size(); ++i)
          if (std::count(c.names.begin(), c.names.end(), m_.locations[i])) atoms |= std::uint32_t{1} << i;
        return leaf(variable(Plan::Variable::Kind::location, -1), atoms);
      }
      case Kind::setting:
        n.kind = NodeKind::constant;
        n.truth = plan_.setting >= 0 && std::count(c.names.begin(), c.names.end(), m_.settings[plan_.setting]) > 0;
        break;
      case Kind::cause:
        n.kind = NodeKind::causes;
        for (std::size_t i = 0; i < m_.causes.size(); ++i) n.which.push_back(is_one_of(static_cast<int>(i), c.names));
        break;
      case Kind::mechanism:
        n.kind = NodeKind::mechanisms;
        for (std::size_t i = 0; i < m_.mechanisms.size(); ++i)
          if (std::count(c.names.begin(), c.names.end(), m_.mechanisms[i].id)) n.mechanisms |= MechanismSet{1} << i;
        break;
      case Kind::region:
        n.kind = NodeKind::levels;
        for (const ModelLevel& level : m_.levels) n.which.push_back(std::count(c.names.begin(), c.names.end(), region_of(level.id)) > 0);
        break;
      case Kind::stage:
        n.kind = NodeKind::stages;
        for (const ModelCause& cause : m_.causes)
          for ([[maybe_unused]] const int pace : paces(m_.courses[cause.course]))
            for (const ModelStage& stage : m_.courses[cause.course].stages)
              n.which.push_back(std::count(c.names.begin(), c.names.end(), stage.id) > 0);
        break;
    }
    return add(std::move(n));
  }

  bool is_one_of(int c, const std::vector<std::string>& names) const {
    const ModelCause& cause = m_.causes[c];
    for (const std::string& name : names)
      if (name == cause.id || name == cause.group || (name == "malignant" && m_.is_malignant(c)) || (name == "tumour" && m_.is_tumour(c)) ||
          (name == "benign" && cause.behaviour == Behaviour::benign) || (name == "dangerous" && (m_.is_tumour(c) || cause.emergency)))
        return true;
    return false;
  }

  static std::string region_of(const std::string& level) {
    switch (level[0]) {
      case 'C': return level == "coccyx" ? "sacral" : "cervical";
      case 'T': return "thoracic";
      case 'L': return "lumbar";
      case 'S': return "sacral";
      default: return level == "coccyx" ? "sacral" : "";
    }
  }

  void mark(int index, std::vector<bool>& findings) const {
    const auto& n = plan_.nodes[index];
    if (n.kind == NodeKind::leaf) {
      const auto& v = plan_.variables[n.variable];
      if (v.finding >= 0) findings[v.finding] = true;
      if (v.node >= 0) mark(v.node, findings);
    }
    for (int child : n.children) mark(child, findings);
  }

  // Everything about a state that any condition or variable can see.
  std::vector<double> look_of(const State& s, int stage) const {
    std::vector<double> key;
    for (const auto& n : plan_.nodes) switch (n.kind) {
        case NodeKind::causes: key.push_back(n.which[s.cause]); break;
        case NodeKind::mechanisms: key.push_back((s.active & n.mechanisms) != 0); break;
        case NodeKind::levels: key.push_back(n.which[s.level]); break;
        case NodeKind::stages: key.push_back(n.which[stage]); break;
        default: break;
      }
    for (std::size_t v = 0; v < plan_.variables.size(); ++v) {
      const auto& variable = plan_.variables[v];
      key.push_back(-1);  // between variables
      switch (variable.kind) {
        case Plan::Variable::Kind::discrete: {
          const ModelFinding& f = m_.findings[variable.finding];
          for (std::size_t i = 0; i < f.links.size(); ++i) {
            const Link& link = f.links[i];
            double reached = 1;
            switch (link.parent) {
              case Parent::mechanism: reached = (s.active >> link.index & 1) ? reach(m_, f, link.index, s.level) : 0; break;
              case Parent::cause: reached = link.index == s.cause; break;
              case Parent::stage: reached = link.index == m_.causes[s.cause].course && link.stage == s.stage; break;
            }
            if (reached > 0) key.push_back(static_cast<double>(i)), key.push_back(reached);
          }
          break;
        }
        case Plan::Variable::Kind::context: key.push_back(context_link(m_, variable.finding, s.cause) ? s.cause : -2); break;
        case Plan::Variable::Kind::measured: {
          const ModelFinding& f = m_.findings[variable.finding];
          for (std::size_t i = 0; i < f.shifts.size(); ++i)
            if (f.shifts[i].is_cause ? f.shifts[i].index == s.cause : (s.active >> f.shifts[i].index & 1) != 0)
              key.push_back(static_cast<double>(i));
          break;
        }
        case Plan::Variable::Kind::duration:
          for (int a = 0; a < variable.atoms; ++a) key.push_back(plan_.duration[v][static_cast<std::size_t>(stage) * variable.atoms + a]);
          break;
        case Plan::Variable::Kind::recovered: key.push_back(plan_.recovered[v][stage]); break;
        case Plan::Variable::Kind::location:
          for (int a = 0; a < variable.atoms; ++a) key.push_back(felt(m_, a, s));
          break;
        case Plan::Variable::Kind::composite: break;
      }
    }
    return key;
  }

  void count_uses(int index, std::map<int, int>& uses) const {
    const auto& n = plan_.nodes[index];
    if (n.kind == NodeKind::leaf) ++uses[n.variable];
    for (int child : n.children) count_uses(child, uses);
  }

  std::string key(int index) const {
    const auto& n = plan_.nodes[index];
    std::string out = fmt::format("{}.{}.{}.{}.{}.{}.{}.{}(", static_cast<int>(n.kind), n.count, n.variable, n.atoms, n.mechanisms, n.low,
                                  n.high, static_cast<int>(n.wanted));
    for (bool b : n.which) out += b ? '1' : '0';
    std::vector<std::string> parts;
    for (int child : n.children) parts.push_back(key(child));
    std::sort(parts.begin(), parts.end());
    for (const auto& part : parts) out += part + ",";
    return out + ")";
  }

  void subtrees(int index, std::map<std::string, std::vector<int>>& out) const {
    const auto& n = plan_.nodes[index];
    if (n.children.size() > 1) out[key(index)].push_back(index);
    for (int child : n.children) subtrees(child, out);
  }

  // "Any cancer history" twice in one tree is one yes or no, not a dozen: a subtree that stands in several places, with
  // variables that stand nowhere else, becomes a variable of its own.
  int fold_repeated(int root) {
    for (bool again = true; again;) {
      again = false;
      std::map<std::string, std::vector<int>> all;
      subtrees(root, all);
      std::map<int, int> uses;
      count_uses(root, uses);
      std::vector<const std::pair<const std::string, std::vector<int>>*> repeated;
      for (const auto& entry : all)
        if (entry.second.size() > 1) repeated.push_back(&entry);
      std::sort(repeated.begin(), repeated.end(), [](auto a, auto b) { return a->first.size() > b->first.size(); });
      for (const auto* entry : repeated) {
        std::map<int, int> inside;
        count_uses(entry->second[0], inside);
        const int copies = static_cast<int>(entry->second.size());
        const bool own = std::all_of(inside.begin(), inside.end(), [&](const auto& u) { return u.second == 1 && uses[u.first] == copies; });
        if (!own) continue;
        Plan::Node body = plan_.nodes[entry->second[0]];
        const int moved = add(std::move(body)), v = variable(Plan::Variable::Kind::composite, -1);
        plan_.variables[v].node = moved;
        for (int copy : entry->second) {
          Plan::Node n;
          n.kind = NodeKind::leaf;
          n.variable = v;
          n.atoms = 2;
          plan_.nodes[copy] = n;
        }
        again = true;
        break;
      }
    }
    return root;
  }

  // Durations and recoveries by stage of the cause in hand.
  void tables(const Chain& chain, const std::vector<double>& ever) {
    const int n = static_cast<int>(ever.size());
    for (std::size_t v = 0; v < plan_.variables.size(); ++v) {
      const auto& variable = plan_.variables[v];
      if (variable.kind == Plan::Variable::Kind::duration) {
        std::vector<std::vector<double>> within(variable.atoms, std::vector<double>(n));
        for (int a = 0; a < variable.atoms; ++a) chain.within(variable.cuts[a], variable.cuts[a + 1], within[a].data());
        const double e = m_.background_share;
        for (int k = 0; k < n; ++k)
          for (int a = 0; a < variable.atoms; ++a) {
            const double background = background_before(m_, variable.cuts[a + 1]) - background_before(m_, variable.cuts[a]);
            plan_.duration[v].push_back(ever[k] > 0 ? (1 - e) * within[a][k] / ever[k] + e * background : 0);
          }
      } else if (variable.kind == Plan::Variable::Kind::recovered) {
        const Eigen::VectorXd left = chain.moves(variable.weeks).rowwise().sum();
        for (int k = 0; k < n; ++k) plan_.recovered[v].push_back(1 - left[k]);
      }
    }
  }

  const Model& m_;
  Plan& plan_;
  std::set<double> age_cuts_, unused_;
  std::map<int, std::set<double>> cuts_;  // by finding; -1: duration
};

}  // namespace

PopulationPlan::PopulationPlan(const Model& model, const std::vector<Group>& groups, const std::string& setting_id) {
  setting = -1;
  for (std::size_t s = 0; s < model.settings.size(); ++s)
    if (model.settings[s] == setting_id) setting = static_cast<int>(s);
  Builder build(model, *this);
  build.cut(groups);
  build.strata();
  for (const Group& g : groups) build.tree(g);
  build.looks();
}

}  // namespace dorsalgia
