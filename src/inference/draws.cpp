// The idea. What a draw moves meets the states through few rows, each a number for every draw. Rates, settings and context are a
// factor for each cause. Of a noisy OR, "at most this grade" is a product over what may bring more: such answers fold into a row
// for each mechanism, cause and stage, however many they are. Other answers have a likelihood for each class of signatures that
// their finding's links do not tell apart. Signatures that fall in the same classes share one product of rows, and products that
// begin alike share what they have in common, along a tree that is walked depth first. What no draw moves (presenting times,
// variants, where it hurts) is summed over the signatures of a leaf beforehand.
#include "inference/draws.h"

#include <Random123/philox.h>

#include <Random123/boxmuller.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "inference/tables.h"
#include "knowledge/noise.h"

namespace dorsalgia {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

MovedNumbers::MovedNumbers(const Knowledge& knowledge, const Model& model, int draws)
    : k_(knowledge),
      count_(draws),
      parameters_(dorsalgia::parameters(knowledge, model)),
      made_(parameters_.size()),
      by_(parameters_.size()) {
  std::map<std::string, int> place;
  for (std::size_t i = 0; i < k_.fitted.parameters.size(); ++i) place[k_.fitted.parameters[i]] = static_cast<int>(i);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter& p = parameters_[i];
    const auto it = place.find(p.id);
    fitted_.push_back(it == place.end() ? -1 : it->second);
    auto& of_kind = place_.at(static_cast<std::size_t>(p.kind));
    const auto owner = static_cast<std::size_t>(std::max(0, p.owner)), index = static_cast<std::size_t>(p.index);
    if (of_kind.size() <= owner) of_kind.resize(owner + 1);
    if (of_kind[owner].size() <= index) of_kind[owner].resize(index + 1, -1);
    of_kind[owner][index] = static_cast<int>(i);
  }
}

double MovedNumbers::z(int draw, std::size_t parameter) const {
  const int at = fitted_[parameter];
  if (at >= 0 && !k_.fitted.draws.empty()) {
    // Its distance from the noise in tenths, which is what the page fetches of it; that adds a thousandth to a variance of 1.
    const std::size_t row = static_cast<std::size_t>(draw) % k_.fitted.draws.size(), column = static_cast<std::size_t>(at);
    const double its_noise = noise(row, column);
    const double kept = k_.fitted.draws[row][column];
    return its_noise + std::round(10 * (k_.fitted.from_noise ? kept : kept - its_noise)) / 10 - k_.fitted.mean[column];
  }
  r123::Philox4x32 philox;
  const auto r = philox({{static_cast<std::uint32_t>(parameter), static_cast<std::uint32_t>(draw), 1, 0}}, {{0x5eed0001u, 0x0d0b5a16u}});
  return r123::boxmuller((static_cast<std::uint64_t>(r[0]) << 32) | r[1], (static_cast<std::uint64_t>(r[2]) << 32) | r[3]).x;
}

const double* MovedNumbers::by(Parameter::Kind kind, int its_owner, int its_index) const {
  const auto& of_kind = place_[static_cast<std::size_t>(kind)];
  const auto owner = static_cast<std::size_t>(std::max(0, its_owner)), index = static_cast<std::size_t>(its_index);
  if (owner >= of_kind.size() || index >= of_kind[owner].size() || of_kind[owner][index] < 0) return nullptr;
  const auto i = static_cast<std::size_t>(of_kind[owner][index]);
  std::call_once(made_[i], [&] {
    ArrayXd moves((count_ + kSideBySide - 1) / kSideBySide * kSideBySide);
    for (Index draw = 0; draw < moves.size(); ++draw) moves[draw] = z(static_cast<int>(draw), i) * parameters_[i].spread;
    by_[i] = kind == Parameter::Kind::shift ? moves : moves.exp();
  });
  return by_[i].data();
}

namespace {

using Tables = ExactEngine::Tables;
using Kind = Parameter::Kind;
using Row = Eigen::Array<double, kSideBySide, 1>;                // a number for each draw
using Rows = Eigen::Array<double, kSideBySide, Eigen::Dynamic>;  // [draw, column]

// Which answers share a prefix of classes, and what is left of the signatures at the end of each path.
class Tree {
 public:
  struct Share {
    int cause;
    double all = 0, emergency = 0;
    Forecast ahead{};
  };
  struct Node {
    int klass, first = -1, next = -1;  // children and siblings
    std::vector<Share> shares;         // of a leaf
  };

  Tree() { nodes_.push_back({0, -1, -1, {}}); }
  const Node& operator[](int node) const { return nodes_[static_cast<std::size_t>(node)]; }

  int child(int node, int klass) {
    int last = -1;
    for (int c = (*this)[node].first; c >= 0; last = c, c = (*this)[c].next)
      if ((*this)[c].klass == klass) return c;
    const int made = static_cast<int>(nodes_.size());
    nodes_.push_back({klass, -1, -1, {}});
    (last < 0 ? nodes_[static_cast<std::size_t>(node)].first : nodes_[static_cast<std::size_t>(last)].next) = made;
    return made;
  }
  Share& share(int leaf, int cause) {
    auto& all = nodes_[static_cast<std::size_t>(leaf)].shares;
    const auto it = std::find_if(all.begin(), all.end(), [&](const Share& s) { return s.cause == cause; });
    return it != all.end() ? *it : all.emplace_back(Share{cause});
  }

 private:
  std::vector<Node> nodes_;
};

// One part of a presentation (taken_apart): its sums under each draw.
class Drawing {
 public:
  Drawing(const Tables& tables, const MovedNumbers& numbers, const Presentation& person, bool one_profile)
      : t(tables), m(*tables.m), moved(numbers), p(person), one_profile_(one_profile) {
    for (const Answer& a : p.answers) {
      const int top = m.findings[a.finding].grades - 1;
      if (t.about_context(a) || (!a.measured && a.low == 0 && a.high == top)) continue;
      if (t.about_place(a)) about_place_.push_back(&a);
      else if (!a.measured && a.low == 0) at_most_.push_back(&a);
      else add_level(true, {&a});
    }
    for (const AnyOf& any : p.any_of) {
      if (t.about_context(any)) continue;
      std::vector<const Answer*> members;
      for (const Answer& a : any.answers) members.push_back(&a);
      add_level(false, members);
    }
    std::stable_sort(levels_.begin(), levels_.end(), [](const Level& a, const Level& b) { return a.classes.size() < b.classes.size(); });
    number_stages();
    plant();
    const auto count = static_cast<Index>(m.causes.size());
    of_cause_.resize(kSideBySide, count), emergency_.resize(kSideBySide, count);
    for (auto& ahead : ahead_) ahead.resize(kSideBySide, count);
  }

  // Adds the sums of one profile under the draws from `first` on.
  void add(const Profile& x, Index first, DrawnPosteriors& sums) {
    first_ = first;
    Rows by_cause = causes(x);
    rows_.clear();
    fold(x, by_cause);
    for (Level& level : levels_) {
      rows_.push_back(likelihood(level, x));
      if (level.scale == 0) level.scale = rows_.back().maxCoeff();  // so that many answers do not end below what a double holds
      if (level.scale > 0) rows_.back() /= level.scale;
    }
    if (!about_place_.empty()) rows_.push_back(groups(x));
    of_cause_.setZero(), emergency_.setZero();
    for (auto& ahead : ahead_) ahead.setZero();
    product_.resize(kSideBySide, static_cast<Index>(rows_.size()) + 1);
    product_.col(0).setOnes();
    walk(0, 0);
    for (Index c = 0; c < by_cause.cols(); ++c) {
      const auto its = by_cause.col(c);
      sums.causes.col(c).segment<kSideBySide>(first) += of_cause_.col(c) * its;
      sums.emergency.segment<kSideBySide>(first) += emergency_.col(c) * its;
      for (std::size_t w = 0; w < ahead_.size(); ++w)
        sums.compression.col(static_cast<Index>(w)).segment<kSideBySide>(first) += ahead_[w].col(c) * its;
    }
  }

  // Natural log of what the sums were divided by.
  double log_scale() const {
    double out = 0;
    for (const Level& level : levels_) out += level.scale > 0 ? std::log(level.scale) : 0;
    return out;
  }

 private:
  // An answer, or several of which one holds.
  struct Level {
    bool plain;
    std::vector<const Answer*> members;
    std::vector<int> of;                    // by signature: its class
    std::vector<std::vector<int>> classes;  // by class and member: the member's own class, of context its cause
    double scale = 0;
  };

  void add_level(bool plain, const std::vector<const Answer*>& members) {
    Level level{plain, members, {}, {}, 0};
    std::map<std::vector<int>, int> known;
    std::vector<int> its(members.size());
    for (std::size_t i = 0; i < t.signatures.size(); ++i) {
      for (std::size_t k = 0; k < its.size(); ++k)
        its[k] = t.about_context(*members[k]) ? t.cause_of[i] : t.classes[members[k]->finding].of[i];
      const auto [it, fresh] = known.emplace(its, static_cast<int>(known.size()));
      if (fresh) level.classes.push_back(its);
      level.of.push_back(it->second);
    }
    levels_.push_back(std::move(level));
  }

  // Stages that answers "at most" know, numbered from 1.
  void number_stages() {
    for (const Answer* a : at_most_)
      for (const Link& link : m.findings[a->finding].links) {
        if (link.parent == Parent::mechanism) folds_sets_ = true;
        if (link.parent == Parent::stage) stages_.emplace(std::make_pair(link.index, link.stage), static_cast<int>(stages_.size()) + 1);
      }
  }
  int stage_class(const Signature& s) const {
    const auto it = stages_.find({m.causes[s.cause].course, s.stage});
    return it == stages_.end() ? 0 : it->second;
  }

  // What no draw moves.
  void plant() {
    const std::vector<double> by_stage = t.presenting(p);
    Presentation unmoved = p;
    std::erase_if(unmoved.answers, [&](const Answer& a) { return t.about_place(a); });
    const Profile anyone{};  // what is left of evidence about places hangs on nobody's age
    const bool placed = t.has_place(unmoved);
    at_places_ = t.evidence_at_places(unmoved, anyone);
    referred_ = t.referred(unmoved);
    const ArrayXd of_group = placed && about_place_.empty() ? t.over_groups(at_places_, referred_) : ArrayXd();
    std::vector<Forecast> ahead(t.cells.size(), Forecast{});
    for (const auto& [cell, its] : t.compressible) ahead[static_cast<std::size_t>(cell)] = its;
    int node = 0, signature = -1;
    for (std::size_t i = 0; i < t.cells.size(); ++i) {
      const Cell& cell = t.cells[i];
      const Signature& s = t.signatures[cell.signature];
      const double weight = by_stage[t.stage_of[cell.signature]] * cell.share * (of_group.size() > 0 ? of_group[cell.group] : 1);
      if (weight <= 0) continue;
      if (cell.signature != signature) {
        signature = cell.signature, node = 0;
        if (folds_sets_) node = tree_.child(node, t.set_of[signature]);
        if (!stages_.empty()) node = tree_.child(node, stage_class(s));
        for (const Level& level : levels_) node = tree_.child(node, level.of[static_cast<std::size_t>(signature)]);
      }
      Tree::Share& share = tree_.share(about_place_.empty() ? node : tree_.child(node, cell.group), s.cause);
      share.all += weight;
      if (s.klass & 1) share.emergency += weight;
      for (std::size_t w = 0; w < share.ahead.size(); ++w) share.ahead[w] += weight * ahead[i][w];
    }
  }

  // ---- numbers that move, under these draws

  Eigen::Map<const Row> these(const double* by) const { return Eigen::Map<const Row>(by + first_); }
  static Row same(double x) { return Row::Constant(x); }
  Row ratio(double x, const double* by) const { return by ? Row(x * these(by)) : same(x); }
  Row odds(double x, const double* by) const {
    if (!by) return same(x);
    const Row out = x * these(by);
    return out / (out + (1 - x));
  }
  Row odds_at_age(const AgeSex& table, const Profile& x, const double* by) const {
    if (!by) return same(at_age(table, x.sex, x.age));
    // Ends of the bands move, and what is between them follows.
    const auto& its = table[static_cast<std::size_t>(x.sex)];
    std::size_t band = 0;
    while (band < kAgeBands && kAgeMiddle[band] < x.age) ++band;
    const std::size_t high = std::min<std::size_t>(band, kAgeBands - 1), low = band == 0 ? 0 : band - 1;
    if (low == high || its[low] == its[high]) return odds(its[high], by);
    const double w = (x.age - kAgeMiddle[low]) / (kAgeMiddle[high] - kAgeMiddle[low]);
    return (1 - w) * odds(its[low], by) + w * odds(its[high], by);
  }
  Row kept(int finding, int grade, const Profile& x) const {
    return 1 - odds_at_age(m.findings[finding].leak[grade], x, moved.by(Kind::leak, finding, 0));
  }
  Row brought(int finding, std::size_t link, int grade) const {
    return odds(m.findings[finding].links[link].p[grade], moved.by(Kind::link, finding, static_cast<int>(link)));
  }

  // ---- by cause

  Rows causes(const Profile& x) const {
    const int count = static_cast<int>(m.causes.size());
    Rows rates(kSideBySide, count), out(kSideBySide, count);
    // How often people of this age and sex come, among all whom the person may be, hangs on all rates together.
    Row who = same(0);
    double unmoved = 0;
    for (int c = 0; c < count; ++c) {
      const double rate = at_age(m.causes[c].rate, x.sex, x.age);
      rates.col(c) = ratio(rate, moved.by(Kind::rate, c, 0));
      who += rates.col(c), unmoved += rate;
    }
    who *= x.weight / unmoved;
    out.setZero();
    Rows there(kSideBySide, count);
    for (int s = 0; s < static_cast<int>(m.settings.size()); ++s) {
      if (p.setting >= 0 && p.setting != s) continue;
      Row total = same(0);
      const double* cancers = moved.by(Kind::cancers_in, -1, s);
      for (int c = 0; c < count; ++c) {
        auto its = there.col(c);
        its = rates.col(c) * m.causes[c].settings[s];
        if (const double* by = moved.by(Kind::setting, c, s)) its *= these(by);
        if (cancers && m.is_malignant(c)) its *= these(cancers);
        total += its;
      }
      const Row share = (p.setting >= 0 ? 1 : m.setting_shares[s]) * who / total;
      for (int c = 0; c < count; ++c) out.col(c) += share * there.col(c);
    }
    for (const Answer& a : p.answers)
      if (t.about_context(a)) with_context(a, x, [&](int c, const Row& row) { out.col(c) *= row; });
    for (const AnyOf& any : p.any_of) {
      if (!t.about_context(any)) continue;
      there.setOnes();
      for (const Answer& a : any.answers) there *= 1 - holds(a, x);
      out *= 1 - there;
    }
    return out;
  }

  // Calls use(cause, likelihood) for each cause; those without a link to the factor share one row.
  template <class Use>
  void with_context(const Answer& a, const Profile& x, Use use) const {
    const ModelFinding& f = m.findings[a.finding];
    const bool nobody = at_age(f.prevalence, x.sex, x.age) <= 0;
    const Row prevalence = odds_at_age(f.prevalence, x, moved.by(Kind::prevalence, a.finding, 0));
    const auto row = [&](const Row& present, int cause) {
      const double meant = a.high >= 1 ? t.meant(a, cause) : 0;
      return a.low == 0 ? Row(1 + (meant - 1) * present) : Row(meant * present);
    };
    std::optional<Row> common;
    for (int c = 0; c < static_cast<int>(m.causes.size()); ++c) {
      const int link = t.context_link[a.finding][c];
      if (link < 0) {
        if (!common) common = row(prevalence, c);
        use(c, *common);
        continue;
      }
      const ModelContextLink& its = m.causes[c].context[link];
      const double* by = moved.by(Kind::factor, c, link);
      if (nobody) {
        use(c, row(prevalence, c));
      } else if (its.is_share) {
        use(c, row(odds(its.value, by), c));
      } else {
        const Row r = ratio(its.value, by);
        use(c, row(prevalence * r / (1 + prevalence * (r - 1)), c));
      }
    }
  }

  // ---- by class of signatures, by group

  // "At most this grade": rows of the tree's first levels, and what causes bring into by_cause.
  void fold(const Profile& x, Rows& by_cause) {
    const auto sets = static_cast<Index>(t.sets.size());
    Rows mechanisms = Rows::Ones(kSideBySide, static_cast<Index>(m.mechanisms.size()));
    Rows stages = Rows::Ones(kSideBySide, static_cast<Index>(stages_.size()) + 1);
    Row all = same(1);
    for (const Answer* a : at_most_) {
      const ModelFinding& f = m.findings[a->finding];
      if (!one_profile_) all *= kept(a->finding, a->high, x);  // common to all states of a profile
      for (std::size_t k = 0; k < f.links.size(); ++k) {
        const Link& link = f.links[k];
        const Row left = 1 - brought(a->finding, k, a->high);
        if (link.parent == Parent::mechanism) {
          mechanisms.col(link.index) *= left;
        } else if (link.parent == Parent::stage) {
          stages.col(stages_.at({link.index, link.stage})) *= left;
        } else {
          by_cause.col(link.index) *= left;
        }
      }
    }
    if (!one_profile_)
      for (Index c = 0; c < by_cause.cols(); ++c) by_cause.col(c) *= all;
    if (folds_sets_) {
      Rows& of_set = rows_.emplace_back(Rows::Ones(kSideBySide, sets));
      for (Index i = 0; i < sets; ++i)
        for (MechanismSet rest = t.sets[static_cast<std::size_t>(i)]; rest; rest &= rest - 1)
          of_set.col(i) *= mechanisms.col(__builtin_ctz(rest));
    }
    if (!stages_.empty()) rows_.push_back(std::move(stages));
  }

  Rows likelihood(const Level& level, const Profile& x) const {
    if (level.plain) return likelihood(*level.members[0], x);
    const auto count = static_cast<Index>(level.classes.size());
    Rows none = Rows::Ones(kSideBySide, count);
    for (std::size_t k = 0; k < level.members.size(); ++k) {
      const Rows its = holds(*level.members[k], x);
      for (Index c = 0; c < count; ++c) none.col(c) *= 1 - its.col(level.classes[static_cast<std::size_t>(c)][k]);
    }
    return 1 - none;
  }

  // P(this member of an "any of" holds | what is answered about the same finding): Tables::holds.
  Rows holds(const Answer& a, const Profile& x) const {
    const Answer* own = p.answer(a.finding);
    if (!own) return likelihood(a, x);
    const Rows known = likelihood(*own, x);
    const std::optional<Answer> together = both(a, *own);
    if (!together) return Rows::Zero(kSideBySide, known.cols());
    return (known > 0).select(likelihood(*together, x) / known, 0.0);
  }

  // By class of the finding's links; of context by cause.
  Rows likelihood(const Answer& a, const Profile& x) const {
    const ModelFinding& f = m.findings[a.finding];
    const auto& classes = t.classes[a.finding].links;
    const auto count = static_cast<Index>(t.about_context(a) ? m.causes.size() : classes.size());
    Rows out(kSideBySide, count);
    if (t.about_context(a)) {
      with_context(a, x, [&](int c, const Row& row) { out.col(c) = row; });
      return out;
    }
    if (f.shape == Shape::measured) {
      const MeasuredAnswer value(a, f, x);
      for (Index c = 0; c < count; ++c) {
        Row shift = same(0);
        for (int k : classes[static_cast<std::size_t>(c)]) {
          shift += f.shifts[k].shift;
          if (const double* by = moved.by(Kind::shift, a.finding, k)) shift += these(by);
        }
        const double sd = std::sqrt(t.shift_class[a.finding][static_cast<std::size_t>(c)].second);
        const Row z = (value.from - value.centre - shift) / sd;
        if (value.exact) out.col(c) = (-0.5 * z.square()).exp() * (0.3989422804014326779 / sd);
        else
          for (Index d = 0; d < kSideBySide; ++d) out(d, c) = value.modelled(shift[d], sd);
      }
      return (1 - kUnmodelled) * out + value.unmodelled;
    }
    const auto upto = [&](int grade) {
      const Row keep = kept(a.finding, grade, x);
      std::vector<Row> fails;
      for (std::size_t k = 0; k < f.links.size(); ++k) fails.emplace_back(1 - brought(a.finding, k, grade));
      Rows rows(kSideBySide, count);
      for (Index c = 0; c < count; ++c) {
        rows.col(c) = keep;
        for (int k : classes[static_cast<std::size_t>(c)]) rows.col(c) *= fails[static_cast<std::size_t>(k)];
      }
      return rows;
    };
    const bool high = a.high<f.grades - 1, low = a.low> 0;
    if (high && low) return (upto(a.high) - upto(a.low - 1)).max(0.0);
    if (high) return upto(a.high);
    if (low) return 1 - upto(a.low - 1);
    return Rows::Ones(kSideBySide, count);
  }

  // [draw, group]: what answers about places leave of a group, summed over its levels.
  Rows groups(const Profile& x) const {
    const Index places = t.places();
    Rows at(kSideBySide, places * static_cast<Index>(t.patterns.size()));  // [draw, pattern * places + place]
    for (Index i = 0; i < at.cols(); ++i) at.col(i).setConstant(at_places_(i % places, i / places));
    for (const Answer* a : about_place_) {
      if (a->low != a->high) continue;
      const ModelFinding& f = m.findings[a->finding];
      const Row keep = kept(a->finding, 0, x);
      std::vector<Row> bring;
      for (std::size_t k = 0; k < f.links.size(); ++k) bring.push_back(brought(a->finding, k, 0));
      for (Index i = 0; i < at.cols(); ++i) {
        Row none = keep;
        for (std::size_t k = 0; k < f.links.size(); ++k)
          if (t.patterns[static_cast<std::size_t>(i / places)] >> f.links[k].index & 1)
            none *= 1 - reach(m, f, f.links[k].index, t.level_at[i % places]) * bring[k];
        if (a->low == 0) at.col(i) *= none;
        else at.col(i) *= 1 - none;
      }
    }
    Rows out = Rows::Zero(kSideBySide, static_cast<Index>(t.groups.size()));
    for (std::size_t g = 0; g < t.groups.size(); ++g) {
      const auto [cause, canal, pattern, klass] = t.groups[g];
      for (Index l = t.canal_begin[canal]; l < t.canal_begin[canal + 1]; ++l)
        if (const double share = t.level_share(l, cause) * (l == t.outside ? referred_[cause] : 1); share > 0)
          out.col(static_cast<Index>(g)) += share * at.col(pattern * places + l);
    }
    return out;
  }

  // ---- products

  void walk(int node, std::size_t level) {
    const auto product = product_.col(static_cast<Index>(level));
    if (level == rows_.size()) {
      for (const Tree::Share& s : tree_[node].shares) {
        of_cause_.col(s.cause) += s.all * product;
        if (s.emergency > 0) emergency_.col(s.cause) += s.emergency * product;
        if (s.ahead.back() > 0)
          for (std::size_t w = 0; w < ahead_.size(); ++w) ahead_[w].col(s.cause) += s.ahead[w] * product;
      }
      return;
    }
    for (int child = tree_[node].first; child >= 0; child = tree_[child].next) {
      product_.col(static_cast<Index>(level) + 1) = product * rows_[level].col(tree_[child].klass);
      walk(child, level + 1);
    }
  }

  const Tables& t;
  const Model& m;
  const MovedNumbers& moved;
  const Presentation& p;
  const bool one_profile_;
  std::vector<const Answer*> at_most_, about_place_;
  std::vector<Level> levels_;                  // all other answers, but for context
  bool folds_sets_ = false;                    // some answer "at most" hangs on mechanisms
  std::map<std::pair<int, int>, int> stages_;  // course and stage that such answers know: their class
  ArrayXXd at_places_;                         // [place, pattern]: what is known of places but for answers, whose numbers move
  ArrayXd referred_;                           // by cause
  Tree tree_;                  // levels: sets, stages (if such answers know any), levels_, groups (if places were asked about)
  Index first_ = 0;            // of these draws
  std::vector<Rows> rows_;     // by level of the tree: [draw, class]
  Rows product_;               // [draw, level]: along the path
  Rows of_cause_, emergency_;  // [draw, cause]
  std::array<Rows, kForecastWeeks.size()> ahead_;  // [draw, cause]
};

}  // namespace

DrawnPosteriors under_draws(const ExactEngine& engine, const MovedNumbers& numbers, const Presentation& person) {
  const Tables& t = engine.tables();
  const Model& m = *t.m;
  const Index wanted = numbers.count(), n = (wanted + kSideBySide - 1) / kSideBySide * kSideBySide;
  const std::vector<Profile> people = profiles(m, person);
  std::vector<Presentation> apart;
  if (!person.any_of.empty()) apart = taken_apart(m, person, true);
  DrawnPosteriors out;
  double scale = -std::numeric_limits<double>::infinity();
  const auto add = [&](const Presentation& part) {
    DrawnPosteriors sums;
    sums.emergency.setZero(n);
    sums.causes.setZero(n, static_cast<Index>(m.causes.size()));
    sums.compression.setZero(n, static_cast<Index>(kForecastWeeks.size()));
    Drawing drawing(t, numbers, part, people.size() == 1);
    for (const Profile& x : people)
      for (Index first = 0; first < n; first += kSideBySide) drawing.add(x, first, sums);
    const double its = drawing.log_scale(), top = std::max(scale, its);
    if (out.causes.size() == 0) {
      out = std::move(sums);
    } else {
      const double before = std::exp(scale - top), now = std::exp(its - top);
      out.emergency = before * out.emergency + now * sums.emergency;
      out.causes = before * out.causes + now * sums.causes;
      out.compression = before * out.compression + now * sums.compression;
    }
    scale = top;
  };
  if (person.any_of.empty()) add(person);
  for (const Presentation& part : apart) add(part);

  // Draws under which the answers exclude each other are left out.
  Index possible = 0;
  for (Index d = 0; d < std::min(wanted, out.causes.rows()); ++d) {
    const double sum = out.causes.row(d).sum();
    if (!(sum > 0) || !std::isfinite(sum)) continue;
    out.causes.row(possible) = out.causes.row(d) / sum;
    out.compression.row(possible) = out.compression.row(d) / sum;
    out.emergency[possible++] = out.emergency[d] / sum;
  }
  out.causes.conservativeResize(possible, static_cast<Index>(m.causes.size()));
  out.compression.conservativeResize(possible, static_cast<Index>(kForecastWeeks.size()));
  out.emergency.conservativeResize(possible);
  out.tumour.setZero(possible), out.malignant.setZero(possible);
  for (int c = 0; c < static_cast<int>(m.causes.size()); ++c) {
    if (m.is_tumour(c)) out.tumour += out.causes.col(c);
    if (m.is_malignant(c)) out.malignant += out.causes.col(c);
  }
  return out;
}

}  // namespace dorsalgia
