// Where P(tumour) would lie if everything open were answered: states are drawn from the posterior, answers from the states, and
// the posterior of each such person is worked out. Most of what is drawn is "absent", and of a noisy OR absences come apart: all
// findings are folded in as absent once, and each sample multiplies by what its few other answers change.
#include <Random123/philox.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "inference/tables.h"

namespace dorsalgia {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

namespace {

using Tables = ExactEngine::Tables;

// Numbers by counter: the same person always gets the same samples.
struct Random {
  r123::Philox4x32 philox;
  std::uint32_t sample;
  std::uint32_t count = 0;
  double uniform() {
    const auto r = philox({{sample, count++, 2, 0}}, {{0x5eed0001u, 0x0d0b5a16u}});
    return (static_cast<double>(r[0]) + 0.5) / 4294967296.0;
  }
};

// A state, and of someone of unknown age or sex, who that may be.
struct Drawn {
  int signature, pattern;
  Index place;
  Profile person;
};

// At each place in the posterior; places are in [0, 1) and rise.
std::vector<Drawn> states_at(const Tables& t, const Tables::Beliefs& beliefs, const std::vector<double>& places) {
  double all = 0;
  for (const auto& b : beliefs.all) all += b.w.sum();
  std::vector<Drawn> out;
  if (!(all > 0)) return out;
  // Cells of each signature stand together.
  std::vector<std::size_t> first(t.signatures.size() + 1, 0);
  for (const Cell& cell : t.cells) ++first[cell.signature + 1];
  for (std::size_t i = 1; i < first.size(); ++i) first[i] += first[i - 1];
  std::size_t next = 0;
  double before = 0;
  for (const auto& b : beliefs.all)
    for (Index i = 0; i < t.n(); ++i) {
      const double mass = b.w[i] / all;
      for (; next < places.size() && mass > 0 && places[next] < before + mass; ++next) {
        double left = (places[next] - before) / mass;  // where within the signature: in which cell, and there at which level
        double total = 0;
        const auto weight = [&](const Cell& cell) { return cell.share * (b.factor.size() > 0 ? b.factor[cell.group] : 1); };
        for (std::size_t c = first[i]; c < first[i + 1]; ++c) total += weight(t.cells[c]);
        std::size_t c = first[i];
        left *= total;
        while (c + 1 < first[i + 1] && left >= weight(t.cells[c])) left -= weight(t.cells[c++]);
        const PlaceGroup& group = t.groups[t.cells[c].group];
        left /= weight(t.cells[c]);
        const Index from = t.canal_begin[group.canal], count = t.canal_begin[group.canal + 1] - from;
        ArrayXd where = t.level_share.col(group.cause).segment(from, count).array();
        if (b.at_places.size() > 0) where *= b.at_places.col(group.pattern).segment(from, count);
        if (b.referred.size() > 0 && from <= t.outside && t.outside < from + count) where[t.outside - from] *= b.referred[group.cause];
        left *= where.sum();
        Index l = 0;
        while (l + 1 < count && left >= where[l]) left -= where[l++];
        out.push_back({static_cast<int>(i), group.pattern, from + l, b.x});
      }
      before += mass;
    }
  return out;
}

// All findings that are asked for, as one profile may answer them.
class Foresight {
 public:
  Foresight(const Tables& tables, const std::vector<int>& findings, const Presentation& person, const Profile& who,
            const std::vector<double>& by_stage)
      : t(tables), x(who) {
    const auto belief = [&](const Presentation& part) {
      const Tables::Belief b = t.believe(part, x, {}, by_stage);
      const bool placed = t.has_place(part);
      parts_.push_back({b.scale,
                        b.apart,
                        placed ? b.at_places : ArrayXXd::Ones(t.places(), static_cast<Index>(t.patterns.size())),
                        t.referred(part),
                        {}});
    };
    if (person.any_of.empty()) belief(person);
    else
      for (const Presentation& part : taken_apart(*t.m, person, true)) belief(part);
    double scale = parts_[0].scale;
    for (const auto& b : parts_) scale = std::max(scale, b.scale);
    for (auto& b : parts_) b.apart *= std::exp(b.scale - scale);

    for (int f : findings) {
      const ModelFinding& finding = t.m->findings[f];
      Asked its{f, false, {}};
      if (t.tabled(finding)) {
        const auto none = t.at_most.col(t.first_column[f]).array();
        its.folded = none.minCoeff() > 0;
        for (auto& b : parts_)
          if (its.folded) b.apart *= none;
      } else if (finding.place_segment >= 0) {
        its.folded = t.place_at_most[f].minCoeff() > 0;
        for (auto& b : parts_)
          if (its.folded) b.at_places *= t.place_at_most[f];
      }
      its.ratio.resize(static_cast<std::size_t>(finding.grades));
      asked_.push_back(std::move(its));
      if (asked_.size() % 8 != 0) continue;
      double top = 0;
      for (const auto& b : parts_) top = std::max(top, b.apart.maxCoeff());
      for (auto& b : parts_) b.apart /= top;
    }
    for (auto& b : parts_) b.of_cells = t.over_cells(t.over_groups(b.at_places, b.referred));
  }

  // P(tumour) once this state has answered.
  double answered(const Drawn& drawn, Random random) {
    ArrayXd by_signature = ArrayXd::Ones(t.n()), by_cause = ArrayXd::Ones(static_cast<Index>(t.m->causes.size()));
    ArrayXXd at_places;  // empty: as they are when all is absent
    for (Asked& its : asked_) {
      const ModelFinding& f = t.m->findings[its.finding];
      double u = random.uniform();
      int grade = 0;
      while (grade + 1 < f.grades && (u -= chance(its.finding, grade, drawn)) >= 0) ++grade;
      if (its.folded && grade == 0) continue;
      if (f.shape != Shape::discrete) {
        by_cause *= ratio(its, grade);
      } else if (f.place_segment < 0) {
        by_signature *= ratio(its, grade);
      } else {
        if (at_places.size() == 0) at_places = ArrayXXd::Ones(t.places(), static_cast<Index>(t.patterns.size()));
        at_places *= of_places(its, grade);
      }
    }
    for (Index i = 0; i < t.n(); ++i) by_signature[i] *= by_cause[t.cause_of[i]];
    ByClass mass{};
    for (const auto& b : parts_) {
      const ArrayXd w = by_signature * b.apart;
      const ByClass its =
          t.by_class(at_places.size() == 0 ? w * b.of_cells : w * t.over_cells(t.over_groups(b.at_places * at_places, b.referred)));
      for (int k = 0; k < kClasses; ++k) mass[k] += its[k];
    }
    const double tumour = mass[2] + mass[3];
    return tumour / (mass[0] + mass[1] + tumour);
  }

 private:
  // What a part of the presentation leaves to be believed, with what is folded in.
  struct Part {
    double scale;
    ArrayXd apart;       // by signature: all but place
    ArrayXXd at_places;  // [place, pattern]
    ArrayXd referred;    // by cause
    ArrayXd of_cells;    // by signature: places, summed over the cells
  };
  struct Asked {
    int finding;
    bool folded;                 // as absent into what is believed
    std::vector<ArrayXd> ratio;  // by grade, made as they are needed: its likelihood, over that of "absent" where that is folded
  };

  double keep(const ModelFinding& f, int grade) const { return 1 - at_age(f.leak[grade], x.sex, x.age); }

  // P(this grade | state).
  double chance(int finding, int grade, const Drawn& s) const {
    const ModelFinding& f = t.m->findings[finding];
    if (f.shape == Shape::discrete) {
      const auto upto = [&](int g) {
        if (g < 0) return 0.0;
        const double brought =
            f.place_segment >= 0 ? t.place_at_most[finding](s.place, s.pattern) : t.at_most(s.signature, t.first_column[finding] + g);
        return keep(f, g) * brought;
      };
      return upto(grade) - upto(grade - 1);
    }
    const int cause = t.signatures[s.signature].cause;
    const double present = t.present(finding, cause, at_age(f.prevalence, x.sex, x.age));
    if (grade == 0) return 1 - present;
    return f.shape == Shape::context ? present : present * t.years(finding, cause)[grade - 1];
  }

  // By signature; of context by cause.
  const ArrayXd& ratio(Asked& its, int grade) {
    ArrayXd& out = its.ratio[grade];
    if (out.size() > 0) return out;
    const Answer answer{its.finding, grade, grade, false, 0, 0, ""};
    if (t.about_context(answer)) return out = t.context(answer, x);
    t.with_likelihood(answer, x, [&](const auto& likelihood) { out = likelihood; });
    if (its.folded) out /= t.at_most.col(t.first_column[its.finding]).array();
    return out;
  }

  ArrayXXd of_places(const Asked& its, int grade) const {
    const ArrayXXd& brought = t.place_at_most[its.finding];
    const double none = keep(t.m->findings[its.finding], 0);
    if (grade == 0) return none * brought;
    return its.folded ? ArrayXXd((1 - none * brought) / brought) : ArrayXXd(1 - none * brought);
  }

  const Tables& t;
  const Profile x;
  std::vector<Part> parts_;
  std::vector<Asked> asked_;
};

}  // namespace

std::vector<double> ExactEngine::once_answered(const Presentation& person, const std::vector<int>& findings, int samples) const {
  const Tables& t = *t_;
  std::vector<double> places, out;
  for (int i = 0; i < samples; ++i) places.push_back((i + 0.5) / samples);
  const std::vector<double> by_stage = t.presenting(person);
  std::map<std::pair<double, Sex>, Foresight> by_profile;
  std::uint32_t sample = 0;
  for (const Drawn& drawn : states_at(t, t.believe_all(person, {}), places)) {
    Profile who = drawn.person;
    who.weight = 1;
    auto it = by_profile.find({who.age, who.sex});
    if (it == by_profile.end())
      it = by_profile.emplace(std::make_pair(who.age, who.sex), Foresight(t, findings, person, who, by_stage)).first;
    out.push_back(it->second.answered(drawn, Random{{}, sample++}));
  }
  return out;
}

}  // namespace dorsalgia
