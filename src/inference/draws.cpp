// Which numbers a draw moves, and what of a person none does; lanes.cpp has the sums over what is left.
#include "inference/draws.h"

#include <Random123/philox.h>

#include <Random123/boxmuller.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "inference/lanes.h"
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

Drawing::Drawing(const ExactEngine::Tables& tables, const MovedNumbers& numbers, const Presentation& person)
    : t(tables), moved(numbers), p(person), rows(kCauses + static_cast<int>(tables.m->causes.size())) {
  for (const Answer& a : p.answers) {
    const int top = t.m->findings[a.finding].grades - 1;
    if (t.about_context(a) || (!a.measured && a.low == 0 && a.high == top)) continue;
    if (t.about_place(a)) about_place.push_back(&a);
    else if (!a.measured && a.low == 0) at_most.push_back(&a);
    else add_level(true, {&a});
  }
  for (const AnyOf& any : p.any_of) {
    if (t.about_context(any)) continue;
    std::vector<const Answer*> members;
    for (const Answer& a : any.answers) members.push_back(&a);
    add_level(false, members);
  }
  fold();
  meet();
}

void Drawing::add_level(bool plain, const std::vector<const Answer*>& members) {
  Level level{plain, members, {}, {}, rows};
  if (plain) {
    rows += static_cast<int>(t.classes[members[0]->finding].links.size());
  } else {
    Numbers known;
    std::vector<int> its(members.size());
    for (std::size_t i = 0; i < t.signatures.size(); ++i) {
      for (std::size_t k = 0; k < its.size(); ++k)
        its[k] = t.about_context(*members[k]) ? t.cause_of[i] : t.classes[members[k]->finding].of[i];
      level.of.push_back(known.of(its));
      if (known.count() > static_cast<int>(level.classes.size())) level.classes.push_back(its);
    }
    rows += static_cast<int>(level.classes.size());
  }
  levels.push_back(std::move(level));
}

void Drawing::fold() {
  const auto before_stages = static_cast<int>(t.m->mechanisms.size() + t.m->causes.size());
  parts = before_stages;
  stage_at.assign(static_cast<std::size_t>(t.first_stage.back()), kOne);
  bool folds_sets = false;
  first_stage = rows;
  for (const Answer* a : at_most) {
    const ModelFinding& f = t.m->findings[a->finding];
    for (std::size_t k = 0; k < f.links.size(); ++k) {
      const Link& link = f.links[k];
      folds_sets = folds_sets || link.parent == Parent::mechanism;
      int part = t.left[static_cast<std::size_t>(t.first_left[t.first_column[a->finding] + a->high]) + k].part;
      if (link.parent == Parent::stage) {
        int& at = stage_at[part];
        if (at == kOne) at = rows++, ++parts;
        part = before_stages + at - first_stage;
      }
      brings.push_back({part, link.p[a->high], moved.by(Parameter::Kind::link, a->finding, static_cast<int>(k))});
    }
  }
  if (!folds_sets) return;
  first_set = rows;
  rows += static_cast<int>(t.sets.size());
}

void Drawing::meet() {
  const std::vector<double> by_stage = t.presenting(p);
  Presentation unmoved = p;
  std::erase_if(unmoved.answers, [&](const Answer& a) { return t.about_place(a); });
  const Profile anyone{};  // what is left of evidence about places hangs on nobody's age
  at_places = t.evidence_at_places(unmoved, anyone);
  referred = t.referred(unmoved);
  const bool asked_about_places = !about_place.empty();
  ArrayXd of_group;
  if (asked_about_places) {
    first_group = rows;
    rows += static_cast<int>(t.groups.size());
    std::vector<bool> occurs(t.patterns.size() * static_cast<std::size_t>(t.places()), false);
    for (const PlaceGroup& g : t.groups)
      for (Index l = t.canal_begin[g.canal]; l < t.canal_begin[g.canal + 1]; ++l)
        if (t.level_share(l, g.cause) > 0) occurs[static_cast<std::size_t>(g.pattern * t.places() + l)] = true;
    for (std::size_t i = 0; i < occurs.size(); ++i)
      if (occurs[i]) spots.push_back(static_cast<int>(i));
  } else if (t.has_place(unmoved)) {
    of_group = t.over_groups(at_places, referred);
  }
  std::vector<const Forecast*> ahead(t.cells.size(), nullptr);
  for (const auto& [cell, its] : t.compressible) ahead[static_cast<std::size_t>(cell)] = &its;
  cells.reserve(t.cells.size()), met.reserve(t.signatures.size() + 1), factors.reserve(t.signatures.size() * (3 + levels.size()));
  const bool folds_sets = first_set != kOne, folds_stages = parts > static_cast<int>(t.m->mechanisms.size() + t.m->causes.size());
  factors_each = 1U + folds_sets + folds_stages + levels.size();
  int signature = -1;
  for (std::size_t i = 0; i < t.cells.size(); ++i) {
    const auto [its_signature, group, share] = t.cells[i];
    const double weight = by_stage[t.stage_of[its_signature]] * share * (of_group.size() > 0 ? of_group[group] : 1);
    if (weight <= 0) continue;
    const bool fresh = its_signature != signature;
    if (fresh) {
      signature = its_signature;
      const Signature& s = t.signatures[signature];
      met.push_back({s.cause, (s.klass & 1) != 0, cells.size()});
      factors.push_back(kCauses + s.cause);
      if (folds_sets) factors.push_back(first_set + t.set_of[signature]);
      if (folds_stages) factors.push_back(stage_at[t.part_of_stage[t.stage_of[signature]]]);
      for (const Level& level : levels)
        factors.push_back(level.first + (level.plain ? t.classes[level.members[0]->finding].of[signature] : level.of[signature]));
    }
    // Where nobody asked about places, cells of a signature are one.
    if (fresh || asked_about_places) cells.push_back({asked_about_places ? first_group + group : kOne, 0, {}});
    cells.back().weight += weight;
    for (std::size_t w = 0; ahead[i] && w < ahead[i]->size(); ++w) cells.back().ahead[w] += weight * (*ahead[i])[w];
  }
  met.push_back({-1, false, cells.size()});
}

DrawnPosteriors under_draws(const ExactEngine& engine, const MovedNumbers& numbers, const Presentation& person) {
  const ExactEngine::Tables& t = engine.tables();
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
    const double its = t.lanes.draw(Drawing(t, numbers, part), people, sums), top = std::max(scale, its);
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
  const Index draws = std::min(wanted, out.causes.rows());
  ArrayXd sum = ArrayXd::Zero(out.causes.rows());
  for (Index c = 0; c < out.causes.cols(); ++c) sum += out.causes.col(c);
  std::vector<Index> possible;
  for (Index d = 0; d < draws; ++d)
    if (sum[d] > 0 && std::isfinite(sum[d])) possible.push_back(d);
  const auto count = static_cast<Index>(possible.size());
  const auto share = [&](const ArrayXXd& all, Index columns) {
    ArrayXXd kept(count, columns);
    for (Index column = 0; column < columns; ++column)
      for (Index i = 0; i < count; ++i) kept(i, column) = all(possible[i], column) / sum[possible[i]];
    return kept;
  };
  out.causes = share(out.causes, static_cast<Index>(m.causes.size()));
  out.compression = share(out.compression, static_cast<Index>(kForecastWeeks.size()));
  for (Index i = 0; i < count; ++i) out.emergency[i] = out.emergency[possible[i]] / sum[possible[i]];
  out.emergency.conservativeResize(count);
  out.tumour.setZero(count), out.malignant.setZero(count);
  for (int c = 0; c < static_cast<int>(m.causes.size()); ++c) {
    if (m.is_tumour(c)) out.tumour += out.causes.col(c);
    if (m.is_malignant(c)) out.malignant += out.causes.col(c);
  }
  return out;
}

}  // namespace dorsalgia
