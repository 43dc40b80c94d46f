// The idea. What is random in the model is one state (cause, variant of its course, stage, pace) and one level; everything
// else follows from them. Written down as a network:
//
//     State -> Cause; -> Strand -> Canal   State, Canal -> Mechanisms -> mechanism_... (one node each)
//     Cause, Canal -> Level                State, Mechanisms -> findings;  Cause -> context and history
//                                      Level, NeuralMechanisms -> findings that point to a place
//
// (Level would more naturally come before Canal, its part of the spinal canal. This way round is the same distribution,
// and libraries that cannot see zeros in a table need a tenth of the memory.)
//
// A finding with links to causes or stages as well as to mechanisms would need a table over State x Mechanisms. Noisy-MAX
// lets it be divorced (Olesen KG et al., Applied Artificial Intelligence 1989;3:385): what the mechanisms and the leak
// bring is one node (ID__by_mechanism), what cause and stage bring is another (ID__by_cause), and the finding is the
// greater of the two. Measured values are divorced likewise: each parent sorts the person into one of the few shifts that
// occur (ID__shift, ID__shift_of_cause), and the value hangs on these.
//
// This file goes back to the Model for every number and shares no table with an engine: it is what an outside library is
// asked with when it bears witness against them.
//
// What is left out: a measured value is only low, normal or raised by the limits of the person's sex (an engine takes the
// number itself); "at least one of these" has no node; the forecast is no question to a network without time. Age, sex,
// setting and duration have shaped the tables and are no nodes: another duration is another network.
#include "model/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <stdexcept>

#include "course/chain.h"
#include "model/state.h"

namespace dorsalgia {

namespace {

constexpr double kCordPoints = 0.9;  // share of sensory levels that follow the cord lesion at all; see there

// ---- networks

// Rows run over the values of the parents, the last parent fastest; a row holds one number for each own value.
struct Node {
  std::string name;
  std::vector<std::string> values;
  std::vector<int> parents;  // earlier nodes
  std::vector<double> table;
};

using Row = std::vector<double>;
using Network = std::vector<Node>;  // parents stand before children

// What all three formats take as a name: a letter or _, then letters, digits and _.
std::string word(const std::string& s) {
  std::string out;
  for (char c : s) out += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ? c : '_';
  return out.empty() || (out[0] >= '0' && out[0] <= '9') ? "_" + out : out;
}

// Calls f with the values of the parents of each row in turn.
void each_row(const Network& net, const Node& node, const std::function<void(const std::vector<int>&)>& f) {
  std::vector<int> at(node.parents.size(), 0);
  while (true) {
    f(at);
    std::size_t i = at.size();
    while (i > 0) {
      --i;
      if (++at[i] < static_cast<int>(net[node.parents[i]].values.size())) break;
      at[i] = 0;
      if (i == 0) return;
    }
    if (at.empty()) return;
  }
}

std::string number(double p) { return fmt::format("{:.17g}", p); }

std::string number_list(const double* from, std::size_t count, const char* between) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i ? between : "") + number(from[i]);
  return out;
}

std::string bif(const Network& net, const std::string& about) {
  std::string out = fmt::format("// {}\nnetwork dorsalgia {{\n}}\n", about);
  for (const Node& n : net)
    out += fmt::format("variable {} {{\n  type discrete [ {} ] {{ {} }};\n}}\n", n.name, n.values.size(), fmt::join(n.values, ", "));
  for (const Node& n : net) {
    if (n.parents.empty()) {
      out += fmt::format("probability ( {} ) {{\n  table {};\n}}\n", n.name, number_list(n.table.data(), n.values.size(), ", "));
      continue;
    }
    std::vector<std::string> names;
    for (int p : n.parents) names.push_back(net[p].name);
    out += fmt::format("probability ( {} | {} ) {{\n", n.name, fmt::join(names, ", "));
    const double* row = n.table.data();
    each_row(net, n, [&](const std::vector<int>& at) {
      for (std::size_t i = 0; i < at.size(); ++i) names[i] = net[n.parents[i]].values[at[i]];
      out += fmt::format("  ({}) {};\n", fmt::join(names, ", "), number_list(row, n.values.size(), ", "));
      row += n.values.size();
    });
    out += "}\n";
  }
  return out;
}

std::string xdsl(const Network& net, const std::string& about) {
  std::string out = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- {} -->\n", about);
  out += "<smile version=\"1.0\" id=\"dorsalgia\" numsamples=\"1000\">\n<nodes>\n";
  for (const Node& n : net) {
    out += fmt::format("<cpt id=\"{}\">\n", n.name);
    for (const auto& value : n.values) out += fmt::format("<state id=\"{}\" />\n", value);
    if (!n.parents.empty()) {
      out += "<parents>";
      for (std::size_t i = 0; i < n.parents.size(); ++i) out += (i ? " " : "") + net[n.parents[i]].name;
      out += "</parents>\n";
    }
    out += fmt::format("<probabilities>{}</probabilities>\n</cpt>\n", number_list(n.table.data(), n.table.size(), " "));
  }
  // Without places GeNIe draws all nodes on one spot: a grid, twelve in a row.
  out += "</nodes>\n<extensions>\n<genie version=\"1.0\" app=\"dorsalgia\" name=\"dorsalgia\">\n";
  for (std::size_t i = 0; i < net.size(); ++i) {
    const std::size_t left = 20 + 200 * (i % 12), top = 20 + 80 * (i / 12);
    out += fmt::format(
        "<node id=\"{0}\"><name>{0}</name><interior color=\"e5f6f7\" /><outline color=\"000080\" /><font color=\"000000\" name=\"Arial\" "
        "size=\"8\" />"
        "<position>{1} {2} {3} {4}</position></node>\n",
        net[i].name, left, top, left + 170, top + 50);
  }
  return out + "</genie>\n</extensions>\n</smile>\n";
}

// UAI knows neither names nor comments: variables are numbered in the order of the other two formats.
std::string uai(const Network& net) {
  std::string out = fmt::format("BAYES\n{}\n", net.size());
  for (std::size_t i = 0; i < net.size(); ++i) out += fmt::format("{}{}", i ? " " : "", net[i].values.size());
  out += fmt::format("\n{}\n", net.size());
  for (std::size_t i = 0; i < net.size(); ++i) {
    out += fmt::format("{}", net[i].parents.size() + 1);
    for (int p : net[i].parents) out += fmt::format(" {}", p);
    out += fmt::format(" {}\n", i);
  }
  for (const Node& n : net) out += fmt::format("\n{}\n{}\n", n.table.size(), number_list(n.table.data(), n.table.size(), " "));
  return out;
}

// ---- the model of one person

constexpr std::array<const char*, kCanals> kCanalNames{"cord", "conus", "cauda", "none"};

struct State {
  int cause, stage;
  MechanismSet brings;  // before the level has its say
  int strand;
};

// A cause in the parts of the canal in which its course is equally fast.
struct Strand {
  int cause, pace;
};

class Exporter {
 public:
  Exporter(const Model& model, const Presentation& person) : m_(model), p_(person), sex_(*person.sex), age_(*person.age) {}

  Network run() {
    causes_and_states();
    places();
    mechanisms();
    danger();
    for (const ModelFinding& f : m_.findings) finding(f);
    return std::move(net_);
  }

 private:
  // Adds a node; `row` gives the probabilities of its values for the values of its parents.
  int add(const std::string& name, std::vector<std::string> values, std::vector<int> parents,
          const std::function<Row(const std::vector<int>&)>& row) {
    Node node{word(name), std::move(values), std::move(parents), {}};
    for (auto& value : node.values) value = word(value);
    each_row(net_, node, [&](const std::vector<int>& at) {
      for (double p : row(at)) node.table.push_back(p);
    });
    net_.push_back(std::move(node));
    return static_cast<int>(net_.size()) - 1;
  }

  // The same where the parents leave no choice.
  int add_function(const std::string& name, const std::vector<std::string>& values, const std::vector<int>& parents,
                   const std::function<std::size_t(const std::vector<int>&)>& value) {
    return add(name, values, parents, [&](const std::vector<int>& at) {
      Row row(values.size(), 0.0);
      row.at(value(at)) = 1;
      return row;
    });
  }

  template <class T, class Name>
  static std::vector<std::string> names(const std::vector<T>& of, Name name) {
    std::vector<std::string> out;
    for (const T& x : of) out.push_back(name(x));
    return out;
  }

  // ---- causes, states

  void causes_and_states() {
    Row prior;
    double sum = 0;
    std::vector<std::string> ids, strands;
    for (std::size_t c = 0; c < m_.causes.size(); ++c) {
      const ModelCause& cause = m_.causes[c];
      const ModelCourse& course = m_.courses[cause.course];
      const double of_cause = prior_of(cause);
      for (int pace = 0; pace < kCanals; ++pace) {
        const double there = of_pace(static_cast<int>(c), pace);
        if (there <= 0) continue;
        const std::string where = there < 1 - 1e-9 ? std::string("__") + kCanalNames[pace] : "";
        const int strand = static_cast<int>(strands_.size());
        strands_.push_back({static_cast<int>(c), pace});
        strands.push_back(cause.id + where);
        const std::vector<double> time = presents(cause, course, pace);
        for (int variant = 0; variant < 2; ++variant) {
          const double share = variant == 0 ? 1 - cause.accompanied : cause.accompanied;
          if (share <= 0) continue;
          for (std::size_t k = 0; k < course.stages.size(); ++k) {
            MechanismSet set = course.stages[k].mechanisms;
            std::string id = cause.id + "__" + course.stages[k].id + where;
            if (variant == 1) {
              set |= MechanismSet{1} << cause.accompaniment;
              id += "__" + m_.mechanisms[cause.accompaniment].id;
            }
            states_.push_back({static_cast<int>(c), static_cast<int>(k), set, strand});
            ids.push_back(id);
            prior.push_back(of_cause * there * share * time[k]);
            sum += prior.back();
          }
        }
      }
    }
    if (!(sum > 0)) throw std::invalid_argument("no cause in the model comes to care after such a duration of pain: choose another");
    for (double& p : prior) p /= sum;
    state_ = add("State", ids, {}, [&](const std::vector<int>&) { return prior; });
    cause_ = add_function("Cause", names(m_.causes, [](const auto& x) { return x.id; }), {state_},
                          [&](const auto& at) { return static_cast<std::size_t>(states_[at[0]].cause); });
    strand_ = add_function("Strand", strands, {state_}, [&](const auto& at) { return static_cast<std::size_t>(states_[at[0]].strand); });
    add_function("Behaviour", {"no_tumour", "benign", "malignant"}, {cause_}, [&](const auto& at) -> std::size_t {
      return m_.is_malignant(at[0]) ? 2 : m_.is_tumour(at[0]) ? 1 : 0;
    });
  }

  // P(cause | age, sex, setting); an unknown setting is averaged.
  double prior_of(const ModelCause& cause) const {
    double prior = 0;
    for (std::size_t s = 0; s < m_.settings.size(); ++s) {
      const double weight = p_.setting < 0 ? m_.setting_shares[s] : p_.setting == static_cast<int>(s) ? 1 : 0;
      double all = 0;
      for (const ModelCause& other : m_.causes) all += at_age(other.rate, sex_, age_) * other.settings[s];
      if (weight > 0) prior += weight * at_age(cause.rate, sex_, age_) * cause.settings[s] / all;
    }
    return prior;
  }

  // Share of a cause's levels beside which its course has this pace.
  double of_pace(int cause, int pace) const {
    double out = 0;
    for (std::size_t l = 0; l < m_.levels.size(); ++l)
      if (m_.courses[m_.causes[cause].course].pace(m_.levels[l].canal) == pace) out += m_.causes[cause].levels[l];
    return out;
  }

  // P(comes to care with pain of this duration and in this stage | cause, pace), by stage; for an exact duration per week.
  std::vector<double> presents(const ModelCause& cause, const ModelCourse& course, int pace) const {
    const Chain chain(course, cause.tempo, static_cast<Canal>(pace));
    const double never_ends = std::numeric_limits<double>::infinity();
    Eigen::VectorXd out = chain.within_by_matrix(0, never_ends);
    if (p_.weeks) {
      const auto [from, to] = *p_.weeks;
      const double e = m_.background_share;  // some count an older, unrelated ache in: it tells nothing about the stage
      if (from < to) out = (1 - e) * chain.within_by_matrix(from, to) + e * (background_before(m_, to) - background_before(m_, from)) * out;
      else out = (1 - e) * chain.density_by_matrix(from) + e * background_density(m_, from) * out;
    }
    return {out.data(), out.data() + out.size()};
  }

  // ---- places

  void places() {
    const auto in_canal = [&](int cause, int canal) {
      Row row = m_.causes[cause].levels;
      for (std::size_t l = 0; l < row.size(); ++l)
        if (static_cast<int>(m_.levels[l].canal) != canal) row[l] = 0;
      return row;
    };
    const auto sum = [](const Row& row) { return std::accumulate(row.begin(), row.end(), 0.0); };
    canal_ = add("Canal", {kCanalNames.begin(), kCanalNames.end()}, {strand_}, [&](const auto& at) {
      const auto [cause, pace] = strands_[at[0]];
      const ModelCourse& course = m_.courses[m_.causes[cause].course];
      Row row;
      for (int canal = 0; canal < kCanals; ++canal)
        row.push_back(course.pace(static_cast<Canal>(canal)) == pace ? sum(in_canal(cause, canal)) / of_pace(cause, pace) : 0);
      return row;
    });
    level_ = add("Level", names(m_.levels, [](const auto& x) { return x.id; }), {cause_, canal_}, [&](const auto& at) {
      Row row = in_canal(at[0], at[1]);
      const double all = sum(row);
      for (double& p : row) p = all > 0 ? p / all : 1.0 / static_cast<double>(row.size());  // no such part of the canal: any row will do
      return row;
    });
    std::vector<std::string> felt = m_.locations;
    felt.push_back("elsewhere");
    add("Pain_location", felt, {level_, cause_}, [&](const auto& at) {
      Row row = m_.levels[at[0]].id == "not_spinal" ? m_.causes[at[1]].referral : m_.levels[at[0]].pain;
      row.push_back(rest(row));
      return row;
    });
  }

  static double rest(const Row& row) {
    double sum = 0;
    for (double p : row) sum += p;
    return std::max(0.0, 1 - sum);
  }

  // ---- mechanisms

  // The distinct sets that `of` occurs in, as values of a node.
  struct Sets {
    std::vector<MechanismSet> sets;
    std::map<MechanismSet, std::size_t> index;
    std::size_t operator[](MechanismSet s) {
      if (const auto [it, fresh] = index.emplace(s, sets.size()); !fresh) return it->second;
      sets.push_back(s);
      return sets.size() - 1;
    }
  };

  std::string set_name(MechanismSet set) const {
    std::vector<std::string> active;
    for (std::size_t m = 0; m < m_.mechanisms.size(); ++m)
      if (set >> m & 1) active.push_back(m_.mechanisms[m].id);
    return active.empty() ? "no_mechanism" : fmt::format("{}", fmt::join(active, "__"));
  }

  void mechanisms() {
    Sets all;
    for (const State& s : states_)
      for (int canal = 0; canal < kCanals; ++canal) all[m_.real(s.brings, static_cast<Canal>(canal))];
    sets_ = all.sets;
    const auto name = [&](MechanismSet s) { return set_name(s); };
    mechanisms_ = add_function("Mechanisms", names(sets_, name), {state_, canal_},
                               [&](const auto& at) { return all[m_.real(states_[at[0]].brings, static_cast<Canal>(at[1]))]; });
    for (std::size_t m = 0; m < m_.mechanisms.size(); ++m)
      single_.push_back(add_function("mechanism_" + m_.mechanisms[m].id, {"inactive", "active"}, {mechanisms_},
                                     [&](const auto& at) { return static_cast<std::size_t>(sets_[at[0]] >> m & 1); }));

    // What place findings and the sensory level hang on: only the mechanisms that they know.
    MechanismSet known = m_.cord_compression >= 0 ? MechanismSet{1} << m_.cord_compression : 0;
    for (const ModelFinding& f : m_.findings)
      if (f.place_segment >= 0)
        for (const Link& link : f.links)
          if (link.parent == Parent::mechanism) known |= MechanismSet{1} << link.index;
    Sets neural;
    for (MechanismSet s : sets_) neural[s & known];
    neural_sets_ = neural.sets;
    neural_ = add_function("NeuralMechanisms", names(neural_sets_, name), {state_, canal_},
                           [&](const auto& at) { return neural[m_.real(states_[at[0]].brings, static_cast<Canal>(at[1])) & known]; });

    std::vector<std::string> borders = m_.segments;
    borders.push_back("elsewhere");
    add("Sensory_level_border", borders, {neural_, level_}, [&](const auto& at) {
      const double nowhere = 1.0 / static_cast<double>(m_.segments.size());
      const bool cord = m_.cord_compression >= 0 && (neural_sets_[at[0]] >> m_.cord_compression & 1);
      Row row(m_.segments.size(), cord ? (1 - kCordPoints) * nowhere : nowhere);
      if (cord)
        for (const auto& [offset, share] : m_.sensory_level_offset) {
          const int segment = m_.levels[at[1]].cord_segment + offset;
          if (segment >= 0 && segment < static_cast<int>(row.size())) row[segment] += kCordPoints * share;
        }
      row.push_back(rest(row));
      return row;
    });
  }

  // The emergency that urgency is about.
  void danger() {
    const int dangerous = add_function("Dangerous_cause", {"no", "yes"}, {state_},
                                       [&](const auto& at) { return static_cast<std::size_t>(m_.causes[states_[at[0]].cause].emergency); });
    std::vector<int> parents = {dangerous};
    for (int m : {m_.cord_compression, m_.cauda_equina_compression})
      if (m >= 0) parents.push_back(single_[m]);
    add_function("Emergency", {"no", "yes"}, parents,
                 [&](const auto& at) -> std::size_t { return std::any_of(at.begin(), at.end(), [](int x) { return x == 1; }); });
  }

  // ---- findings

  void finding(const ModelFinding& f) {
    switch (f.shape) {
      case Shape::context: return context(f);
      case Shape::history: return history(f);
      case Shape::measured: return measured(f);
      case Shape::discrete: return discrete(f);
    }
  }

  const ModelContextLink* context_link(const ModelFinding& f, int cause) const {
    for (const ModelContextLink& link : m_.causes[cause].context)
      if (m_.findings[link.finding].id == f.id) return &link;
    return nullptr;
  }

  // A ratio multiplies the odds at which people with the factor come, so it needs no knowledge of the others' rate.
  double had(const ModelFinding& f, const ModelContextLink* link) const {
    const double prevalence = at_age(f.prevalence, sex_, age_);
    if (!link || prevalence <= 0) return prevalence;
    return link->is_share ? link->value : prevalence * link->value / (1 - prevalence + prevalence * link->value);
  }

  void context(const ModelFinding& f) {
    add(f.id, {"absent", "present"}, {cause_}, [&](const auto& at) {
      const double p = had(f, context_link(f, at[0]));
      return Row{1 - p, p};
    });
  }

  void history(const ModelFinding& f) {
    add(f.id, {"never", "under_1_year_ago", "from_1_to_5_years_ago", "from_5_to_10_years_ago", "over_10_years_ago"}, {cause_},
        [&](const auto& at) {
          const ModelContextLink* link = context_link(f, at[0]);
          const double p = had(f, link);
          Row row = {1 - p};
          for (double share : link ? link->years : f.years) row.push_back(p * share);
          return row;
        });
  }

  std::vector<std::string> grade_names(const ModelFinding& f) const {
    if (f.grades == 2) return {"absent", "present"};
    std::vector<std::string> out = {"absent"};
    for (int g = 1; g < f.grades; ++g) out.push_back(fmt::format("grade_{}", g));
    return out;
  }

  // From P(at most this grade), for each grade but the last, to the grades themselves.
  static Row between(const Row& at_most) {
    Row row;
    double before = 0;
    for (double p : at_most) {
      row.push_back(p - before);
      before = p;
    }
    row.push_back(1 - before);
    return row;
  }

  // How far a lesion at this level reaches the segment that a place finding tests.
  double reach(const ModelFinding& f, int mechanism, const ModelLevel& level) const {
    if (mechanism == m_.root_compression) {
      const auto hit =
          std::find_if(level.roots.begin(), level.roots.end(), [&](const auto& root) { return root.first == f.place_segment; });
      return hit == level.roots.end() ? 0 : hit->second;
    }
    const auto at_or_below = [&](int first) { return first >= 0 && f.place_segment >= first ? 1.0 : 0.0; };
    if (mechanism == m_.cord_compression) return at_or_below(level.cord_segment);
    if (mechanism == m_.cauda_equina_compression) return at_or_below(level.first_root);
    return 1;
  }

  void discrete(const ModelFinding& f) {
    const bool place = f.place_segment >= 0;
    const bool divorced = std::any_of(f.links.begin(), f.links.end(), [](const Link& x) { return x.parent != Parent::mechanism; });
    const std::vector<std::string> grades = grade_names(f);
    const std::size_t below_top = grades.size() - 1;

    const auto by_mechanism = [&](const std::vector<int>& at) {
      const MechanismSet active = place ? neural_sets_[at[0]] : sets_[at[0]];
      Row at_most;
      for (std::size_t g = 0; g < below_top; ++g) {
        double p = 1 - at_age(f.leak[g], sex_, age_);
        for (const Link& link : f.links)
          if (link.parent == Parent::mechanism && (active >> link.index & 1))
            p *= 1 - link.p[g] * (place ? reach(f, link.index, m_.levels[at[1]]) : 1);
        at_most.push_back(p);
      }
      return between(at_most);
    };
    const auto by_cause = [&](const std::vector<int>& at) {
      const State& s = states_[at[0]];
      Row at_most;
      for (std::size_t g = 0; g < below_top; ++g) {
        double p = 1;
        for (const Link& link : f.links) {
          const bool cause = link.parent == Parent::cause && link.index == s.cause;
          const bool stage = link.parent == Parent::stage && link.index == m_.causes[s.cause].course && link.stage == s.stage;
          if (cause || stage) p *= 1 - link.p[g];
        }
        at_most.push_back(p);
      }
      return between(at_most);
    };

    const std::vector<int> parents = place ? std::vector<int>{neural_, level_} : std::vector<int>{mechanisms_};
    const int brought = add(divorced ? f.id + "__by_mechanism" : f.id, grades, parents, by_mechanism);
    if (!divorced) return;
    const int otherwise = add(f.id + "__by_cause", grades, {state_}, by_cause);
    add_function(f.id, grades, {brought, otherwise}, [](const auto& at) { return static_cast<std::size_t>(std::max(at[0], at[1])); });
  }

  // The sums of shift and of variance that a value's parents of one kind add; the few that occur are the node's values.
  using Shifts = std::vector<std::pair<double, double>>;

  Shifts shifts(const ModelFinding& f, std::size_t parents, const std::function<bool(const ShiftLink&, std::size_t)>& applies,
                std::vector<std::size_t>& of_parent) const {
    Shifts out;
    for (std::size_t i = 0; i < parents; ++i) {
      std::pair<double, double> sum{0, 0};
      for (const ShiftLink& link : f.shifts)
        if (applies(link, i)) sum.first += link.shift, sum.second += link.variance;
      const auto it = std::find(out.begin(), out.end(), sum);
      of_parent.push_back(static_cast<std::size_t>(it - out.begin()));
      if (it == out.end()) out.push_back(sum);
    }
    return out;
  }

  void measured(const ModelFinding& f) {
    std::vector<std::size_t> of_set, of_state;
    const Shifts mechanism = shifts(
        f, sets_.size(), [&](const ShiftLink& x, std::size_t i) { return !x.is_cause && (sets_[i] >> x.index & 1); }, of_set);
    const Shifts cause = shifts(
        f, states_.size(), [&](const ShiftLink& x, std::size_t i) { return x.is_cause && x.index == states_[i].cause; }, of_state);
    const auto shift_names = [](const Shifts& all) {
      std::vector<std::string> out;
      for (std::size_t i = 0; i < all.size(); ++i) out.push_back(fmt::format("shift_{}", i));
      return out;
    };
    // A node of one value says nothing.
    int by_mechanism = -1, by_cause = -1;
    if (mechanism.size() > 1)
      by_mechanism = add_function(f.id + "__shift", shift_names(mechanism), {mechanisms_}, [&](const auto& at) { return of_set[at[0]]; });
    if (cause.size() > 1)
      by_cause = add_function(f.id + "__shift_of_cause", shift_names(cause), {state_}, [&](const auto& at) { return of_state[at[0]]; });

    const auto scaled = [&](double x) { return !f.log_scale ? x : x > 0 ? std::log(x) : -std::numeric_limits<double>::infinity(); };
    const double lowest = scaled(f.possible_low), highest = scaled(f.possible_high);
    const int sex = static_cast<int>(sex_);
    const std::array<double, 2> limits = {scaled(f.reference_low[sex]), scaled(f.reference_high[sex])};
    std::vector<int> parents;
    for (int p : {by_mechanism, by_cause})
      if (p >= 0) parents.push_back(p);
    add(f.id, {"low", "normal", "raised"}, parents, [&](const auto& at) {
      double mean = scaled(at_age(f.centre, sex_, age_)), variance = f.spread * f.spread;
      std::size_t next = 0;
      for (const auto& [node, table] : {std::pair(by_mechanism, &mechanism), std::pair(by_cause, &cause)}) {
        const auto& [shift, more] = (*table)[node >= 0 ? at[next++] : 0];
        mean += shift, variance += more;
      }
      Row at_most;
      for (double limit : limits) {
        const double stray = std::clamp((limit - lowest) / (highest - lowest), 0.0, 1.0);
        at_most.push_back((1 - kUnmodelled) * normal_cdf((limit - mean) / std::sqrt(variance)) + kUnmodelled * stray);
      }
      return between(at_most);
    });
  }

  const Model& m_;
  const Presentation& p_;
  Sex sex_;
  double age_;
  Network net_;
  std::vector<State> states_;
  std::vector<Strand> strands_;
  std::vector<MechanismSet> sets_, neural_sets_;  // values of Mechanisms and NeuralMechanisms
  std::vector<int> single_;                       // node of each mechanism
  int state_ = -1, strand_ = -1, cause_ = -1, level_ = -1, canal_ = -1, mechanisms_ = -1, neural_ = -1;
};

}  // namespace

std::string export_network(const Model& model, const Presentation& person, NetworkFormat format) {
  if (!person.age || !person.sex) throw std::invalid_argument("a network is of one person: age and sex are needed");
  const Network net = Exporter(model, person).run();
  std::string duration = "duration unknown";
  if (person.weeks)
    duration = (*person.weeks)[0] == (*person.weeks)[1] ? fmt::format("{:g} weeks", (*person.weeks)[0])
                                                        : fmt::format("{:g} to {:g} weeks", (*person.weeks)[0], (*person.weeks)[1]);
  const std::string about = fmt::format("dorsalgia {}, model {}: {} of {:g} years, setting {}, {}", model.version, model.hash,
                                        *person.sex == Sex::male ? "male" : "female", *person.age,
                                        person.setting < 0 ? "unknown" : model.settings[person.setting], duration);
  switch (format) {
    case NetworkFormat::bif: return bif(net, about);
    case NetworkFormat::xdsl: return xdsl(net, about);
    case NetworkFormat::uai: return uai(net);
  }
  return {};
}

}  // namespace dorsalgia
