// Where P(tumour) would lie if everything open were answered: states are drawn from the posterior, answers from the states, and
// the posterior of each such person is worked out. Most of what is drawn is "absent", and of a noisy OR absences come apart: all
// findings are folded in as absent once, and each sample multiplies by what its few other answers change.
#include <Random123/philox.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "inference/lanes.h"
#include "inference/tables.h"

namespace dorsalgia {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

namespace {

using Tables = ExactEngine::Tables;

// Numbers by counter: the same person always gets the same samples.
class Random {
 public:
  explicit Random(std::uint32_t sample) : sample_(sample) {}
  double uniform() {
    const auto r = r123::Philox4x32()({{sample_, count_++, 2, 0}}, {{0x5eed0001u, 0x0d0b5a16u}});
    return (static_cast<double>(r[0]) + 0.5) / 4294967296.0;
  }

 private:
  std::uint32_t sample_, count_ = 0;
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
      : t(tables), x(who), product_(tables.n()) {
    std::vector<Answer> absent;
    for (int f : findings) {
      asked_.push_back(ask(f));
      if (asked_.back().folded) absent.push_back(of_grade(f, 0));
    }
    const auto believe = [&](Presentation part) {
      part.answers.insert(part.answers.end(), absent.begin(), absent.end());
      Tables::Belief b = t.believe(part, x, {}, by_stage);
      if (!t.has_place(part)) {
        b.at_places = ArrayXXd::Ones(t.places(), static_cast<Index>(t.patterns.size()));
        b.referred = t.referred(part);
      }
      parts_.push_back(std::move(b));
    };
    if (person.any_of.empty()) believe(person);
    else
      for (const Presentation& part : taken_apart(*t.m, person, true)) believe(part);
    double scale = parts_[0].scale;
    for (const auto& b : parts_) scale = std::max(scale, b.scale);
    for (auto& b : parts_) b.apart *= std::exp(b.scale - scale), b.w *= std::exp(b.scale - scale);
  }

  // P(tumour) once this state has answered.
  double answered(const Drawn& drawn, Random random) {
    rows_.clear();
    ArrayXXd at_places;  // empty: as they are when all is absent
    for (Asked& its : asked_) {
      const ModelFinding& f = t.m->findings[its.finding];
      double u = random.uniform();
      int grade = 0;
      while (grade + 1 < f.grades && (u -= chance(its, grade, drawn)) >= 0) ++grade;
      if (its.folded && grade == 0) continue;
      if (f.place_segment < 0) {
        rows_.push_back(ratio(its, grade).data());
      } else {
        if (at_places.size() == 0) at_places = ArrayXXd::Ones(t.places(), static_cast<Index>(t.patterns.size()));
        at_places *= of_places(its, grade);
      }
    }
    double none = 0, tumour = 0;
    for (const auto& b : parts_) {
      const bool as_absent = at_places.size() == 0;
      t.lanes.product(as_absent ? b.w.data() : b.apart.data(), rows_, product_.data(), static_cast<std::size_t>(t.n()));
      if (!as_absent) product_ *= t.over_cells(t.over_groups(b.at_places * at_places, b.referred));
      none += product_.head(t.class_begin[2]).sum();
      tumour += product_.tail(t.n() - t.class_begin[2]).sum();
    }
    return tumour / (none + tumour);
  }

 private:
  struct Asked {
    int finding;
    bool folded = false;         // as absent into what is believed
    std::vector<double> keep;    // by grade but the highest: 1 - leak; of context how many do not have it
    std::vector<ArrayXd> ratio;  // by grade, made as they are needed: its likelihood, over that of "absent" where that is folded
  };

  static Answer of_grade(int finding, int grade) { return {finding, grade, grade, false, 0, 0, ""}; }

  Asked ask(int finding) const {
    const ModelFinding& f = t.m->findings[finding];
    Asked out{finding, false, {}, {}};
    out.ratio.resize(static_cast<std::size_t>(f.grades));
    if (f.shape != Shape::discrete) {
      out.keep.push_back(1 - at_age(f.prevalence, x.sex, x.age));
      out.folded = t.context(of_grade(finding, 0), x).minCoeff() > 0;
      return out;
    }
    for (const auto& leak : f.leak) out.keep.push_back(1 - at_age(leak, x.sex, x.age));
    const double least = f.place_segment < 0 ? t.least[t.first_column[finding]] : t.place_at_most[finding].minCoeff();
    out.folded = out.keep[0] * least > 0;
    return out;
  }

  // P(this grade | state).
  double chance(const Asked& its, int grade, const Drawn& s) const {
    const ModelFinding& f = t.m->findings[its.finding];
    if (f.shape == Shape::discrete) {
      const auto upto = [&](int g) {
        if (g < 0) return 0.0;
        return its.keep[g] * (f.place_segment >= 0 ? t.place_at_most[its.finding](s.place, s.pattern)
                                                   : t.at_most(s.signature, t.first_column[its.finding] + g));
      };
      return upto(grade) - upto(grade - 1);
    }
    const int cause = t.signatures[s.signature].cause;
    const double present = t.present(its.finding, cause, 1 - its.keep[0]);
    if (grade == 0) return 1 - present;
    return f.shape == Shape::context ? present : present * t.years(its.finding, cause)[grade - 1];
  }

  // By signature.
  const ArrayXd& ratio(Asked& its, int grade) const {
    ArrayXd& out = its.ratio[grade];
    if (out.size() > 0) return out;
    out = t.likelihood(of_grade(its.finding, grade), x);
    if (its.folded) out /= t.likelihood(of_grade(its.finding, 0), x);
    return out;
  }

  // [place, pattern]
  ArrayXXd of_places(const Asked& its, int grade) const {
    const ArrayXXd none = its.keep[0] * t.place_at_most[its.finding];
    if (grade == 0) return none;
    return its.folded ? ArrayXXd((1 - none) / none) : ArrayXXd(1 - none);
  }

  const Tables& t;
  const Profile x;
  std::vector<Tables::Belief> parts_;  // of the presentation: what each leaves to be believed, with what is folded in
  std::vector<Asked> asked_;
  std::vector<const double*> rows_;
  ArrayXd product_;  // by signature
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
    out.push_back(it->second.answered(drawn, Random(sample++)));
  }
  return out;
}

}  // namespace dorsalgia
