// People at random, over all that a presentation can say: not likely people, but every kind of answer in every mixture.
// The same seed gives the same people everywhere: nothing of the standard library's distributions, which may differ.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

#include "model/model.h"
#include "person/presentation.h"

namespace dorsalgia::test {

// Share of the random cases to run: 1, or DORSALGIA_TEST_SHARE for slow builds.
inline int share_of(int cases) {
  const char* share = std::getenv("DORSALGIA_TEST_SHARE");
  const double s = share ? std::atof(share) : 1;
  return std::max(1, static_cast<int>(cases * (s > 0 && s <= 1 ? s : 1)));
}

class RandomPeople {
 public:
  RandomPeople(const Model& model, std::uint64_t seed) : m_(model), bits_(seed) {}

  double uniform() { return static_cast<double>(bits_() >> 11) * 0x1p-53; }
  int below(int n) { return static_cast<int>(bits_() % static_cast<std::uint64_t>(n)); }
  bool chance(double p) { return uniform() < p; }

  // An answer about this finding that leaves something open or not, but never says nothing.
  Answer answer(int finding, bool may_be_exact = true) {
    const ModelFinding& f = m_.findings[finding];
    Answer a;
    a.finding = finding;
    if (f.shape == Shape::measured) {
      measured(f, a, may_be_exact);
      return a;
    }
    const int top = f.grades - 1;
    do {
      a.low = below(top + 1);
      a.high = a.low + below(top + 1 - a.low);
    } while (a.low == 0 && a.high == top);
    return a;
  }

  // Answers about `count` different findings.
  void answers(Presentation& p, int count) {
    std::vector<int> all(m_.findings.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
    count = std::min(count, static_cast<int>(all.size()));
    for (int i = 0; i < count; ++i) {
      std::swap(all[i], all[i + below(static_cast<int>(all.size()) - i)]);
      p.answers.push_back(answer(all[i]));
    }
  }

  void any_of(Presentation& p) {
    AnyOf any;
    const int count = 2 + below(3);
    for (int tries = 0; tries < 20 && static_cast<int>(any.answers.size()) < count; ++tries) {
      const int f = below(static_cast<int>(m_.findings.size()));
      const bool twice = std::any_of(any.answers.begin(), any.answers.end(), [&](const Answer& a) { return a.finding == f; });
      if (!twice) any.answers.push_back(answer(f, false));
    }
    p.any_of.push_back(any);
  }

  void weeks(Presentation& p) {
    const double t = std::exp(std::log(0.02) + uniform() * std::log(1000 / 0.02)), inf = std::numeric_limits<double>::infinity();
    switch (below(8)) {
      case 0:
      case 1:
      case 2: p.weeks = {t, t}; break;
      case 3: p.weeks = {t, t * (1 + 9 * uniform())}; break;
      case 4: p.weeks = {0, t}; break;
      case 5: p.weeks = {t, inf}; break;
      default: break;
    }
  }

  Presentation person(int most_answers = 25) {
    Presentation p;
    if (!chance(0.06)) p.age = chance(0.1) ? 120 * std::round(uniform()) : std::floor(uniform() * 1000) / 10;
    if (!chance(0.1)) p.sex = chance(0.5) ? Sex::male : Sex::female;
    p.setting = below(static_cast<int>(m_.settings.size()) + 1) - 1;
    weeks(p);
    answers(p, below(most_answers + 1));
    while (chance(0.15)) any_of(p);
    if (chance(0.6)) {
      for (int l = 0; l < static_cast<int>(m_.locations.size()); ++l)
        if (chance(0.3)) p.locations.push_back(l);
    }
    if (chance(0.15) && !m_.segments.empty()) p.sensory_segment = below(static_cast<int>(m_.segments.size()));
    return p;
  }

 private:
  void measured(const ModelFinding& f, Answer& a, bool may_be_exact) {
    const double inf = std::numeric_limits<double>::infinity();
    a.measured = true;
    const int sex = below(2);
    const double low = f.reference_low[sex], high = f.reference_high[sex];
    auto value = [&] {
      // Mostly near what people have, at times anything possible.
      const double centre = f.centre[sex][below(kAgeBands)], span = 3 * f.spread * (2 * uniform() - 1);
      const double x = chance(0.2)   ? f.possible_low + uniform() * (f.possible_high - f.possible_low)
                       : f.log_scale ? centre * std::exp(span)
                                     : centre + span;
      return std::clamp(x, f.possible_low, f.possible_high);
    };
    for (;;) {
      switch (below(may_be_exact ? 7 : 5)) {
        case 0: a.from = -inf, a.to = low; break;
        case 1: a.from = low, a.to = high; break;
        case 2: a.from = high, a.to = inf; break;
        case 3: a.from = value(), a.to = inf; break;
        case 4: a.from = value(), a.to = a.from + uniform() * (f.possible_high - a.from); break;
        default: a.from = a.to = value();
      }
      if (a.from < a.to && (std::isfinite(a.from) || std::isfinite(a.to))) return;
      if (may_be_exact && a.from == a.to && std::isfinite(a.from)) return;
    }
  }

  const Model& m_;
  std::mt19937_64 bits_;
};

}  // namespace dorsalgia::test
