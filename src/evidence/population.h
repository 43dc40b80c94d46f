// The model's own population, filtered as a study filtered its patients: how many of those who come with back pain meet a
// condition, by exact enumeration over age, sex, cause, stage, level and what the condition asks for. No sampling, so the
// sums have derivatives: the same code runs on double and on dual numbers.
//
// Given state, age and sex, findings are independent, so a condition is a tree of products. A variable that stands in two
// places of the tree (fever in "fever" and in "ill") would be counted as two: such variables are summed over, value by value.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "knowledge/knowledge.h"
#include "model/state.h"

namespace dorsalgia {

// People who meet all of these conditions (names resolved); with recovered_weeks > 0, and are without pain by then.
struct Group {
  std::vector<const Condition*> all;
  double recovered_weeks = 0;
};

// What a set of groups asks of a model, worked out once: strata, states, variables, trees. Throws std::invalid_argument
// when a condition ties too many variables together to be summed exactly (over 4,096 combinations).
struct PopulationPlan {
  struct Variable {
    enum class Kind : std::uint8_t { discrete, context, measured, duration, location, recovered, composite } kind = Kind::discrete;
    int finding = -1;
    std::vector<double> cuts;  // measured, duration: values lie between neighbouring cuts
    double weeks = 0;          // recovered
    int node = -1;             // composite: the subtree it stands for
    int atoms = 2;
    int first = 0;  // of its atoms in the table of probabilities
  };
  struct Node {
    enum class Kind : std::uint8_t {
      all,
      any,
      none,
      at_least,
      leaf,
      causes,
      mechanisms,
      levels,
      stages,
      ages,
      sex,
      constant
    } kind = Kind::all;
    std::vector<int> children;
    int count = 0;            // at_least
    int variable = -1;        // leaf
    std::uint32_t atoms = 0;  // leaf: those for which it holds
    std::vector<bool> which;  // causes, levels; stages: by flat stage index
    MechanismSet mechanisms = 0;
    double low = 0, high = 0;  // ages [low, high)
    Sex wanted = Sex::male;
    bool truth = true;  // constant
  };
  struct Tree {
    int root;
    std::vector<int> shared;  // variables to sum over
    std::vector<bool> uses;   // by finding
  };
  struct Stratum {
    double age;
    Sex sex;
    double people;
  };
  // States that look alike to everything that is asked: the same links are active, the same predicates hold.
  struct Look {
    State state;                                 // one of them
    int stage;                                   // its flat index over causes, paces and stages
    std::vector<std::pair<int, double>> people;  // cause, share of the cause's people that look so
  };

  PopulationPlan(const Model& model, const std::vector<Group>& groups, const std::string& setting);

  int setting;  // -1: all of them
  std::vector<Variable> variables;
  std::vector<Node> nodes;
  std::vector<Tree> trees;  // by group
  std::vector<Stratum> strata;
  std::vector<Look> looks;
  std::vector<std::vector<double>> duration, recovered;  // by variable: [flat stage index * atoms + atom]
  int atoms = 0;
};

// Episodes that come to care, up to a common factor: [stratum * causes + cause].
template <class T>
std::vector<T> episodes(const ModelOf<T>& m, const PopulationPlan& plan) {
  const std::size_t causes = m.causes.size();
  std::vector<T> out(plan.strata.size() * causes, T(0.0));
  for (std::size_t x = 0; x < plan.strata.size(); ++x) {
    const auto& stratum = plan.strata[x];
    T all_rates(0.0);
    for (std::size_t c = 0; c < causes; ++c) all_rates += at_age(m.causes[c].rate, stratum.sex, stratum.age);
    for (int s = 0; s < static_cast<int>(m.settings.size()); ++s) {
      if (plan.setting >= 0 && plan.setting != s) continue;
      T there(0.0);
      for (std::size_t c = 0; c < causes; ++c) there += rate(m, static_cast<int>(c), s, stratum.sex, stratum.age);
      const T factor = stratum.people * all_rates * (plan.setting >= 0 ? 1.0 : m.setting_shares[s]) / there;
      for (std::size_t c = 0; c < causes; ++c) out[x * causes + c] += factor * rate(m, static_cast<int>(c), s, stratum.sex, stratum.age);
    }
  }
  return out;
}

// P(condition | look, stratum), one look and stratum at a time. S: scalar of the model; T: scalar of what comes out. Where they
// differ, T is a dual number and derivatives begin at the probabilities: lanes[atom] is the lane of that atom, -1 for none.
template <class S, class T = S>
class Evaluation {
 public:
  Evaluation(const ModelOf<S>& model, const PopulationPlan& its_plan, std::vector<int> its_lanes = {})
      : m(model),
        plan(its_plan),
        lanes(std::move(its_lanes)),
        keep(plan.variables.size() * plan.strata.size()),
        apart(plan.variables.size()),
        p(plan.atoms),
        apart_of(plan.variables.size()),
        p_of(plan.variables.size()),
        fixed(plan.variables.size()) {
    for (std::size_t v = 0; v < plan.variables.size(); ++v)
      if (plan.variables[v].kind == Kind::discrete)
        for (std::size_t i = 0; i < plan.strata.size(); ++i)
          keep[v * plan.strata.size() + i] =
              1.0 - at_age(m.findings[plan.variables[v].finding].leak[0], plan.strata[i].sex, plan.strata[i].age);
  }

  void look_at(const PopulationPlan::Look& look) { place = &look, ++state_stamp, ++stamp; }
  void stratum(std::size_t index) { x = index, ++stamp; }
  T chance(int group) { return over(plan.trees[group], 0); }

  // P(each atom of a variable).
  const T* probabilities(int v) {
    const auto& variable = plan.variables[v];
    T* out = &p[variable.first];
    if (p_of[v] == stamp) return out;
    p_of[v] = stamp;
    const State& s = place->state;
    const auto& here = plan.strata[x];
    switch (variable.kind) {
      case Kind::discrete:
        if (apart_of[v] != state_stamp) apart[v] = unbrought(m, m.findings[variable.finding], 0, s), apart_of[v] = state_stamp;
        out[1] = lifted(S(1.0 - keep[v * plan.strata.size() + x] * apart[v]), variable.first + 1);
        out[0] = 1.0 - out[1];
        break;
      case Kind::context:
        out[1] = lifted(factor_present(m, variable.finding, s.cause, here.sex, here.age), variable.first + 1);
        out[0] = 1.0 - out[1];
        break;
      case Kind::measured:
        for (int a = 0; a < variable.atoms; ++a)
          out[a] = lifted(measured(m.findings[variable.finding], variable.cuts[a], variable.cuts[a + 1], s, here.sex, here.age),
                          variable.first + a);
        break;
      case Kind::duration:
        for (int a = 0; a < variable.atoms; ++a) out[a] = T(plan.duration[v][place->stage * variable.atoms + a]);
        break;
      case Kind::recovered:
        out[1] = T(plan.recovered[v][place->stage]);
        out[0] = 1.0 - out[1];
        break;
      case Kind::location: {
        double sum = 0;
        for (int a = 0; a < variable.atoms; ++a) sum += felt(m, a, s);
        for (int a = 0; a < variable.atoms; ++a) out[a] = T(sum > 0 ? felt(m, a, s) / sum : 0.0);
        break;
      }
      case Kind::composite:
        out[1] = truth(variable.node);
        out[0] = 1.0 - out[1];
        break;
    }
    return out;
  }

 private:
  using Kind = PopulationPlan::Variable::Kind;
  using NodeKind = PopulationPlan::Node::Kind;

  T lifted(const S& value, int atom) const {
    if constexpr (std::is_same_v<S, T>) {
      return value;
    } else {
      T out(value);
      if (lanes[atom] >= 0) out.v[lanes[atom]] = 1;
      return out;
    }
  }

  T truth(int index) {
    const auto& node = plan.nodes[index];
    const State& s = place->state;
    const auto& here = plan.strata[x];
    const auto yes = [](bool b) { return T(b ? 1.0 : 0.0); };
    switch (node.kind) {
      case NodeKind::all: {
        T out(1.0);
        for (int child : node.children) {
          out *= truth(child);
          if (out == T(0.0)) break;
        }
        return out;
      }
      case NodeKind::any:
      case NodeKind::none: {
        T none(1.0);
        for (int child : node.children) none *= 1.0 - truth(child);
        return node.kind == NodeKind::none ? none : T(1.0 - none);
      }
      case NodeKind::at_least: {
        std::vector<T> so_many(node.count + 1, T(0.0));  // the last: that many or more
        so_many[0] = T(1.0);
        for (int child : node.children) {
          const T q = truth(child);
          for (int i = node.count; i >= 0; --i)
            so_many[i] = so_many[i] * (i == node.count ? T(1.0) : T(1.0 - q)) + (i > 0 ? T(so_many[i - 1] * q) : T(0.0));
        }
        return so_many[node.count];
      }
      case NodeKind::leaf: {
        if (fixed[node.variable]) return yes((fixed[node.variable] & node.atoms) != 0);
        const T* q = probabilities(node.variable);
        T out(0.0);
        for (int a = 0; a < plan.variables[node.variable].atoms; ++a)
          if (node.atoms >> a & 1) out += q[a];
        return out;
      }
      case NodeKind::causes: return yes(node.which[s.cause]);
      case NodeKind::mechanisms: return yes((s.active & node.mechanisms) != 0);
      case NodeKind::levels: return yes(node.which[s.level]);
      case NodeKind::stages: return yes(node.which[place->stage]);
      case NodeKind::ages: return yes(node.low <= here.age && here.age < node.high);
      case NodeKind::sex: return yes(node.wanted == here.sex);
      case NodeKind::constant: return yes(node.truth);
    }
    return T(0.0);
  }

  T over(const PopulationPlan::Tree& tree, std::size_t from) {
    if (from == tree.shared.size()) return truth(tree.root);
    const int v = tree.shared[from];
    const auto& variable = plan.variables[v];
    const std::vector<T> q(probabilities(v), probabilities(v) + variable.atoms);
    T out(0.0);
    for (int a = 0; a < variable.atoms; ++a) {
      if (q[a] == T(0.0)) continue;
      fixed[v] = std::uint32_t{1} << a;
      out += q[a] * over(tree, from + 1);
    }
    fixed[v] = 0;
    return out;
  }

  const ModelOf<S>& m;
  const PopulationPlan& plan;
  std::vector<int> lanes;
  std::vector<S> keep, apart;                 // 1 - leak by stratum; discrete findings of this state without leak
  std::vector<T> p;                           // by atom
  std::vector<std::uint64_t> apart_of, p_of;  // for which look; for which look and stratum
  std::vector<std::uint32_t> fixed;           // by variable: the atom that is assumed; 0: none
  const PopulationPlan::Look* place = nullptr;
  std::size_t x = 0;
  std::uint64_t state_stamp = 0, stamp = 0;
};

// P(condition | look, stratum) of all groups: [(look * strata + stratum) * groups + group].
template <class T>
std::vector<T> chances(const ModelOf<T>& m, const PopulationPlan& plan) {
  Evaluation<T> e(m, plan);
  std::vector<T> out;
  out.reserve(plan.looks.size() * plan.strata.size() * plan.trees.size());
  for (const auto& look : plan.looks) {
    e.look_at(look);
    for (std::size_t x = 0; x < plan.strata.size(); ++x) {
      e.stratum(x);
      for (std::size_t g = 0; g < plan.trees.size(); ++g) out.push_back(e.chance(static_cast<int>(g)));
    }
  }
  return out;
}

// People of a look in a stratum.
template <class N>
N people_of(const PopulationPlan& plan, const std::vector<N>& episodes, const PopulationPlan::Look& look, std::size_t x) {
  const std::size_t causes = episodes.size() / plan.strata.size();
  N out(0.0);
  for (const auto& [cause, share] : look.people) out += episodes[x * causes + cause] * share;
  return out;
}

// Sum over looks and strata of people times chances, by group; the two may be of different types.
template <class T, class N, class P>
std::vector<T> total(const PopulationPlan& plan, const std::vector<N>& episodes, const std::vector<P>& chances) {
  const std::size_t strata = plan.strata.size(), groups = plan.trees.size();
  std::vector<T> out(groups, T(0.0));
  for (std::size_t l = 0; l < plan.looks.size(); ++l)
    for (std::size_t x = 0; x < strata; ++x) {
      const P* p = &chances[(l * strata + x) * groups];
      if (std::all_of(p, p + groups, [](const P& one) { return one == P(0.0); })) continue;
      const N n = people_of(plan, episodes, plan.looks[l], x);
      for (std::size_t g = 0; g < groups; ++g) out[g] += n * p[g];
    }
  return out;
}

// How many people (up to a common factor) are in each group.
template <class T>
std::vector<T> weigh(const ModelOf<T>& m, const PopulationPlan& plan) {
  return total<T>(plan, episodes(m, plan), chances(m, plan));
}

}  // namespace dorsalgia
