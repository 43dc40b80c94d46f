// The idea. What a draw moves meets the states through few rows, each a number for every draw: a factor for each cause (rates,
// settings, context), and for each answer a likelihood for each class of signatures that its finding's links do not tell apart.
// Signatures whose answers all fall in the same classes share one product of rows; products that begin alike share what they
// have in common, along a tree that is walked depth first. What no draw moves (presenting times, variants, where it hurts) is
// summed over the signatures of a leaf beforehand.
#include "inference/draws.h"

#include <Random123/philox.h>

#include <Random123/boxmuller.hpp>
#include <algorithm>
#include <cmath>

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

// One part of a presentation, without "any of" findings that are not about context.
class Drawing {
 public:
  Drawing(const Tables& tables, const MovedNumbers& numbers, const Presentation& person, DrawnPosteriors& all)
      : t(tables), m(*tables.m), moved(numbers), p(person), sums(all) {
    for (const Answer& a : p.answers) {
      if (t.about_context(a)) continue;
      (t.about_place(a) ? about_place_ : answers_).push_back(&a);
    }
    const auto classes = [&](const Answer* a) { return t.classes[a->finding].links.size(); };
    std::stable_sort(answers_.begin(), answers_.end(), [&](const Answer* a, const Answer* b) { return classes(a) < classes(b); });
    scale_.assign(answers_.size(), 0);
    emergency_told_.assign(m.causes.size(), false), ahead_told_.assign(m.causes.size(), false);
    plant();
  }

  // These draws, from `first` on.
  void add(const Profile& x, Index first) {
    first_ = first;
    const Rows by_cause = causes(x);
    rows_.clear();
    for (std::size_t i = 0; i < answers_.size(); ++i) {
      rows_.push_back(likelihood(*answers_[i], x));
      if (scale_[i] == 0) scale_[i] = rows_[i].maxCoeff();  // so that many answers do not end below what a double holds
      rows_[i] /= scale_[i];
    }
    if (!about_place_.empty()) rows_.push_back(groups(x));
    of_cause_.setZero(kSideBySide, by_cause.cols());
    emergency_.setZero(kSideBySide, by_cause.cols());
    for (auto& ahead : ahead_) ahead.setZero(kSideBySide, by_cause.cols());
    product_.resize(kSideBySide, static_cast<Index>(rows_.size()) + 1);
    product_.col(0).setOnes();
    walk(0, 0);
    sums.causes.middleRows<kSideBySide>(first) += of_cause_ * by_cause;
    for (Index c = 0; c < by_cause.cols(); ++c) {
      if (emergency_told_[static_cast<std::size_t>(c)]) sums.emergency.segment<kSideBySide>(first) += emergency_.col(c) * by_cause.col(c);
      for (std::size_t w = 0; w < ahead_.size() && ahead_told_[static_cast<std::size_t>(c)]; ++w)
        sums.compression.col(static_cast<Index>(w)).segment<kSideBySide>(first) += ahead_[w].col(c) * by_cause.col(c);
    }
  }

 private:
  // ---- what no draw moves

  void plant() {
    const std::vector<double> by_stage = t.presenting(p);
    Presentation unmoved = p;
    std::erase_if(unmoved.answers, [&](const Answer& a) { return t.about_place(a); });
    const Profile anyone{};  // what is left of evidence about places hangs on nobody's age
    const bool placed = t.has_place(unmoved);
    at_places_ = t.evidence_at_places(unmoved, anyone);
    referred_ = t.referred(unmoved);
    const Eigen::ArrayXd of_group = placed && about_place_.empty() ? t.over_groups(at_places_, referred_) : Eigen::ArrayXd();
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
        for (const Answer* a : answers_) node = tree_.child(node, t.classes[a->finding].of[signature]);
      }
      Tree::Share& share = tree_.share(about_place_.empty() ? node : tree_.child(node, cell.group), s.cause);
      share.all += weight;
      if (s.klass & 1) share.emergency += weight, emergency_told_[static_cast<std::size_t>(s.cause)] = true;
      for (std::size_t w = 0; w < share.ahead.size(); ++w) share.ahead[w] += weight * ahead[i][w];
      if (share.ahead.back() > 0) ahead_told_[static_cast<std::size_t>(s.cause)] = true;
    }
  }

  // ---- numbers that move; by draw

  static Row same(double x) { return Row::Constant(x); }
  // Of these draws.
  Eigen::Map<const Row, Eigen::AlignedMax> these(const double* by) const { return Eigen::Map<const Row, Eigen::AlignedMax>(by + first_); }
  Row ratio(double x, const double* by) const { return by ? Row(x * these(by)) : same(x); }
  Row odds(double x, const double* by) const {
    if (!by) return same(x);
    const Row odds = x * these(by);
    return odds / (odds + (1 - x));
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

  // ---- by cause

  Rows causes(const Profile& x) const {
    const int count = static_cast<int>(m.causes.size());
    Rows out(kSideBySide, count), there(kSideBySide, count);
    out.setZero();
    // How often people of this age and sex come, among all whom the person may be, hangs on all rates together.
    Row who = same(0);
    double unmoved = 0;
    for (int c = 0; c < count; ++c) {
      const double rate = at_age(m.causes[c].rate, x.sex, x.age);
      who += ratio(rate, moved.by(Kind::rate, c, 0)), unmoved += rate;
    }
    who *= x.weight / unmoved;
    for (int s = 0; s < static_cast<int>(m.settings.size()); ++s) {
      if (p.setting >= 0 && p.setting != s) continue;
      Row total = same(0);
      const double* cancers = moved.by(Kind::cancers_in, -1, s);
      for (int c = 0; c < count; ++c) {
        there.col(c) = ratio(at_age(m.causes[c].rate, x.sex, x.age) * m.causes[c].settings[s], moved.by(Kind::rate, c, 0));
        if (const double* by = moved.by(Kind::setting, c, s)) there.col(c) *= these(by);
        if (cancers && m.is_malignant(c)) there.col(c) *= these(cancers);
        total += there.col(c);
      }
      const Row share = (p.setting >= 0 ? 1 : m.setting_shares[s]) * who / total;
      for (int c = 0; c < count; ++c) out.col(c) += share * there.col(c);
    }
    for (const Answer& a : p.answers) {
      if (!t.about_context(a)) continue;
      const Context its(*this, a, x);
      for (int c = 0; c < count; ++c) out.col(c) *= its[c];
    }
    for (const AnyOf& any : p.any_of) {
      there.setOnes();
      for (const Answer& a : any.answers) {
        const Context its(*this, a, x);
        const Answer* own = p.answer(a.finding);
        const std::optional<Answer> together = own ? both(a, *own) : std::nullopt;
        if (own && !together) continue;
        std::optional<Context> known, jointly;
        if (own) known.emplace(*this, *own, x), jointly.emplace(*this, *together, x);
        for (int c = 0; c < count; ++c) {
          if (!own) there.col(c) *= 1 - its[c];
          else there.col(c) *= ((*known)[c] > 0).select(1 - (*jointly)[c] / (*known)[c], 1.0);
        }
      }
      out *= 1 - there;
    }
    return out;
  }

  // Likelihood of an answer about context, by cause: causes without a link to it share one row.
  class Context {
   public:
    Context(const Drawing& d, const Answer& a, const Profile& x) : which_(d.m.causes.size(), -1) {
      const ModelFinding& f = d.m.findings[a.finding];
      const bool nobody = at_age(f.prevalence, x.sex, x.age) <= 0;
      const Row prevalence = d.odds_at_age(f.prevalence, x, d.moved.by(Kind::prevalence, a.finding, 0));
      const auto row = [&](const Row& present, int cause) {
        Row out = a.low == 0 ? Row(1 - present) : d.same(0);
        if (a.high >= 1) out += d.t.meant(a, cause) * present;
        return out;
      };
      int unlinked = -1;
      for (int c = 0; c < static_cast<int>(which_.size()); ++c) {
        const int link = d.t.context_link[a.finding][c];
        if (link < 0) {
          unlinked = c;
          continue;
        }
        const ModelContextLink& its = d.m.causes[c].context[link];
        const double* by = d.moved.by(Kind::factor, c, link);
        which_[static_cast<std::size_t>(c)] = static_cast<int>(own_.size());
        if (nobody) own_.push_back(row(prevalence, c));
        else if (its.is_share) own_.push_back(row(d.odds(its.value, by), c));
        else {
          const Row r = d.ratio(its.value, by);
          own_.push_back(row(prevalence * r / (1 + prevalence * (r - 1)), c));
        }
      }
      if (unlinked >= 0) common_ = row(prevalence, unlinked);
    }
    const Row& operator[](int cause) const {
      const int own = which_[static_cast<std::size_t>(cause)];
      return own < 0 ? common_ : own_[static_cast<std::size_t>(own)];
    }

   private:
    std::vector<int> which_;  // by cause: its own row; -1: the common one
    std::vector<Row> own_;
    Row common_;
  };

  // ---- by class of signatures, by group

  Rows likelihood(const Answer& a, const Profile& x) const {
    const ModelFinding& f = m.findings[a.finding];
    const auto& classes = t.classes[a.finding].links;
    const auto count = static_cast<Index>(classes.size());
    Rows out(kSideBySide, count);
    if (f.shape == Shape::measured) {
      const MeasuredAnswer value(a, f, x);
      for (Index c = 0; c < count; ++c) {
        Row shift = same(0);
        for (int k : classes[static_cast<std::size_t>(c)]) {
          shift += f.shifts[k].shift;
          if (const double* by = moved.by(Kind::shift, a.finding, k)) shift += these(by);
        }
        const double sd = std::sqrt(t.shift_class[a.finding][static_cast<std::size_t>(c)].second);
        if (value.exact) out.col(c) = normal_density((value.from - value.centre - shift) / sd) / sd;
        else
          for (Index d = 0; d < kSideBySide; ++d) out(d, c) = value.modelled(shift[d], sd);
      }
      return (1 - kUnmodelled) * out + value.unmodelled;
    }
    const auto upto = [&](int grade) {
      const Row keep = 1 - odds_at_age(f.leak[grade], x, moved.by(Kind::leak, a.finding, 0));
      std::vector<Row> fails;
      for (std::size_t k = 0; k < f.links.size(); ++k)
        fails.emplace_back(1 - odds(f.links[k].p[grade], moved.by(Kind::link, a.finding, static_cast<int>(k))));
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
  static Row normal_density(const Row& z) { return (-0.5 * z.square()).exp() * 0.3989422804014326779; }

  // [draw, group]: what answers about places leave of a group, summed over its levels.
  Rows groups(const Profile& x) const {
    const Index places = t.places();
    Rows at(kSideBySide, places * static_cast<Index>(t.patterns.size()));  // [draw, pattern * places + place]
    for (Index i = 0; i < at.cols(); ++i) at.col(i).setConstant(at_places_(i % places, i / places));
    for (const Answer* a : about_place_) {
      if (a->low != a->high) continue;
      const ModelFinding& f = m.findings[a->finding];
      const Row keep = 1 - odds_at_age(f.leak[0], x, moved.by(Kind::leak, a->finding, 0));
      std::vector<Row> brought;
      for (std::size_t k = 0; k < f.links.size(); ++k)
        brought.push_back(odds(f.links[k].p[0], moved.by(Kind::link, a->finding, static_cast<int>(k))));
      for (Index i = 0; i < at.cols(); ++i) {
        Row none = keep;
        for (std::size_t k = 0; k < f.links.size(); ++k)
          if (t.patterns[static_cast<std::size_t>(i / places)] >> f.links[k].index & 1)
            none *= 1 - reach(m, f, f.links[k].index, t.level_at[i % places]) * brought[k];
        if (a->low == 0) at.col(i) *= none;
        else at.col(i) *= 1 - none;
      }
    }
    Rows out(kSideBySide, static_cast<Index>(t.groups.size()));
    out.setZero();
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
  DrawnPosteriors& sums;  // not normalised
  std::vector<const Answer*> answers_, about_place_;
  std::vector<double> scale_;                      // by answer
  std::vector<bool> emergency_told_, ahead_told_;  // by cause: whether any leaf tells of it
  Index first_ = 0;                                // draw
  Eigen::ArrayXXd at_places_;                      // [place, pattern]: what is known of places but for answers, whose numbers move
  Eigen::ArrayXd referred_;                        // by cause
  Tree tree_;
  std::vector<Rows> rows_;  // by level of the tree: [draw, class]; last, if places were asked about: [draw, group]
  Rows product_;            // [draw, level]: along the path
  Rows of_cause_, emergency_;
  std::array<Rows, kForecastWeeks.size()> ahead_;  // [draw, cause]
};

}  // namespace

std::optional<DrawnPosteriors> under_draws(const ExactEngine& engine, const MovedNumbers& numbers, const Presentation& person) {
  const Tables& t = engine.tables();
  if (!std::all_of(person.any_of.begin(), person.any_of.end(), [&](const AnyOf& any) { return t.about_context(any); })) return std::nullopt;
  const Index n = (numbers.count() + kSideBySide - 1) / kSideBySide * kSideBySide;
  DrawnPosteriors out;
  out.causes.setZero(n, static_cast<Index>(t.m->causes.size()));
  out.compression.setZero(n, static_cast<Index>(kForecastWeeks.size()));
  out.emergency.setZero(n);
  const std::vector<Profile> people = profiles(*t.m, person);
  const auto draw = [&](const Presentation& part) {
    Drawing drawing(t, numbers, part, out);
    for (const Profile& x : people)
      for (Index first = 0; first < n; first += kSideBySide) drawing.add(x, first);
  };
  if (person.any_of.empty()) draw(person);
  else {
    const std::vector<Presentation> parts = taken_apart(*t.m, person, true);
    if (parts.size() > 1) return std::nullopt;  // their scales would have to be one
    for (const Presentation& part : parts) draw(part);
  }
  out.causes.conservativeResize(numbers.count(), Eigen::NoChange);
  out.compression.conservativeResize(numbers.count(), Eigen::NoChange);
  out.emergency.conservativeResize(numbers.count());
  const ArrayXd sum = out.causes.rowwise().sum();
  if (!(sum.minCoeff() > 1e-280) || !sum.isFinite().all()) return std::nullopt;
  out.tumour.setZero(sum.size()), out.malignant.setZero(sum.size());
  for (int c = 0; c < static_cast<int>(t.m->causes.size()); ++c) {
    out.causes.col(c) /= sum;
    if (t.m->is_tumour(c)) out.tumour += out.causes.col(c);
    if (t.m->is_malignant(c)) out.malignant += out.causes.col(c);
  }
  out.emergency /= sum;
  for (Index w = 0; w < out.compression.cols(); ++w) out.compression.col(w) /= sum;
  return out;
}

}  // namespace dorsalgia
