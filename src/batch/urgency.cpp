// Three truth values of a chunk of people are two sets of bits: those of whom a condition is known to hold, and those of whom it
// is known not to. "All", "any" and "none" are then operations on whole words. Definitions are used in many rules: each
// different condition is one node, worked out once a chunk, its parts before it.
#include "batch/urgency.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "batch/lanes.h"
#include "pathway/pathway.h"

namespace dorsalgia {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

struct UrgencyRules::Nodes {
  struct Node {
    const Condition* condition;
    std::vector<int> of;
  };
  struct Asked {
    int node;
    Urgency urgency;
    bool adults, children;
  };

  const Knowledge& k;
  const Model& m;
  std::vector<Node> nodes;
  std::vector<Asked> rules;
  std::map<std::string, int> known;

  int node_of(const Condition& c) {
    if (c.kind == Condition::Kind::finding && !c.of.empty()) return node_of(c.of[0]);
    std::vector<int> of;
    for (const Condition& child : c.of) of.push_back(node_of(child));
    const auto limit = [](const std::optional<double>& x) { return x ? fmt::format("{}", *x) : std::string("-"); };
    const std::string key = fmt::format("{} {} {} {} {} {} {} {}", static_cast<int>(c.kind), fmt::join(of, ","), c.count, c.id, c.finding,
                                        fmt::join(c.names, ","), limit(c.low), limit(c.high));
    const auto [it, fresh] = known.emplace(key, static_cast<int>(nodes.size()));
    if (fresh) nodes.push_back({&c, of});
    return it->second;
  }
};

namespace {

class Evaluator {
 public:
  Evaluator(const Model& m, const PeopleTable& people, const Planes& planes, const NamedKernel& kernel)
      : m_(m),
        t_(people),
        planes_(planes),
        kernel_(kernel),
        column_of_(m.findings.size(), -1),
        rows_(static_cast<std::size_t>(people.rows)) {
    for (std::size_t i = 0; i < t_.graded.size(); ++i) column_of_[static_cast<std::size_t>(t_.graded[i].finding)] = static_cast<int>(i);
    everybody_ = Bits::where(rows_, [](std::size_t /*row*/) { return true; });
    aged_ = kernel_.within(t_.age, 0, kInfinity);
    dated_ = kernel_.within(t_.weeks, 0, kInfinity);
    sexed_ = kernel_.among(t_.sex, {0, 1});
  }

  const Bits& everybody() const { return everybody_; }

  Known of(const Condition& c, const std::vector<int>& parts, const std::vector<Known>& done) const {
    using Kind = Condition::Kind;
    const double low = c.low.value_or(-kInfinity), high = c.high.value_or(kInfinity);
    switch (c.kind) {
      case Kind::all: {
        Known out{everybody_, {}};
        kernel_.fold(done, parts, false, out);
        return out;
      }
      case Kind::any:
      case Kind::none: {
        Known out{{}, everybody_};
        kernel_.fold(done, parts, true, out);
        if (c.kind == Kind::none) std::swap(out.yes, out.no);
        return out;
      }
      case Kind::at_least: {
        // By how many: those of whom that many parts hold, and those of whom that many may.
        const auto n = static_cast<std::size_t>(c.count);
        std::vector<Bits> holds(n + 1), may(n + 1);
        holds[0] = may[0] = everybody_;
        for (int i : parts) {
          const Known& its = done[static_cast<std::size_t>(i)];
          for (std::size_t k = n; k > 0; --k) holds[k] |= holds[k - 1] & its.yes, may[k] |= may[k - 1] & ~its.no;
        }
        return {holds[n], everybody_ & ~may[n]};
      }
      case Kind::finding: return answer(c.finding);
      case Kind::any_cancer_history: {
        Known out{{}, everybody_};
        for (std::size_t f = 0; f < m_.findings.size(); ++f) {
          if (m_.findings[f].shape != Shape::history) continue;
          const Known its = answer(static_cast<int>(f));
          out.yes |= its.yes, out.no &= its.no;
        }
        return out;
      }
      case Kind::age: return number(aged_, t_.age, low, high);
      case Kind::duration: return number(dated_, t_.weeks, low, high);
      case Kind::sex: return of_known(sexed_, kernel_.among(t_.sex, {static_cast<std::int8_t>(c.id == "male" ? 0 : 1)}));
      case Kind::location: return code(t_.location, m_.locations, c);
      case Kind::setting: return code(t_.setting, m_.settings, c);
      case Kind::measured:
        // The limits themselves are outside.
        for (std::size_t i = 0; i < t_.measured.size(); ++i)
          if (t_.measured[i].finding == c.finding)
            return number(planes_.measured[i], t_.measured[i].value, std::nextafter(low, kInfinity), std::nextafter(high, -kInfinity));
        return {};
      case Kind::cause:
      case Kind::mechanism:
      case Kind::region:
      case Kind::stage: return {};  // the truth is not among the answers
    }
    return {};
  }

 private:
  // Of those who have a value, by of whom something holds.
  static Known of_known(const Bits& known, const Bits& holds) { return {known & holds, known & ~holds}; }

  Known answer(int finding) const {
    const int column = finding < 0 ? -1 : column_of_[static_cast<std::size_t>(finding)];
    if (column < 0) return {};
    return {planes_.present[static_cast<std::size_t>(column)], planes_.absent[static_cast<std::size_t>(column)]};
  }

  Known number(const Bits& known, const std::vector<double>& values, double low, double high) const {
    return of_known(known, kernel_.within(values, low, high));
  }

  Known code(const std::vector<std::int8_t>& codes, const std::vector<std::string>& names, const Condition& c) const {
    std::vector<std::int8_t> wanted;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (std::count(c.names.begin(), c.names.end(), names[i]) > 0) wanted.push_back(static_cast<std::int8_t>(i));
    return of_known(everybody_ & ~kernel_.among(codes, {kUnknown}), kernel_.among(codes, wanted));
  }

  const Model& m_;
  const PeopleTable& t_;
  const Planes& planes_;
  const NamedKernel& kernel_;
  std::vector<int> column_of_;  // by finding; -1: no column names it
  std::size_t rows_;
  Bits everybody_, aged_, dated_, sexed_;  // whose age, whose duration, whose sex is known
};

}  // namespace

UrgencyRules::UrgencyRules(const Knowledge& k, const Model& m, const std::string& profile) : n_(new Nodes{k, m, {}, {}, {}}) {
  for (const Rule& r : k.rules) {
    const bool adults = speaks(r, false, profile), children = speaks(r, true, profile);
    if (adults || children) n_->rules.push_back({n_->node_of(r.when), urgency_of(r.urgency), adults, children});
  }
}
UrgencyRules::~UrgencyRules() = default;

void UrgencyRules::add(const PeopleTable& people, const Planes& planes, const NamedKernel& kernel, std::vector<Known>& done,
                       PosteriorTable& out) const {
  const Evaluator evaluator(n_->m, people, planes, kernel);
  done.clear();
  done.reserve(n_->nodes.size());
  for (const auto& node : n_->nodes) done.push_back(evaluator.of(*node.condition, node.of, done));
  const Bits possible = Bits::where(out.possible.size(), [&](std::size_t r) { return out.possible[r] != 0; });
  const Bits children = kernel.within(people.age, 0, std::nextafter(static_cast<double>(kAdult), 0));
  std::array<Bits, 4> at;  // by urgency: those who have a reason for it
  for (const auto& rule : n_->rules) {
    Bits fired = done[static_cast<std::size_t>(rule.node)].yes;
    if (!rule.adults) fired &= children;
    if (!rule.children) fired &= ~children;
    at[static_cast<std::size_t>(rule.urgency)] |= fired;
  }
  for (const Threshold& t : n_->k.thresholds) {
    const Floats& now = t.quantity == "malignant" ? out.malignant : t.quantity == "tumour" ? out.tumour : out.emergency;
    // The least number in single precision that is not below the threshold.
    float least = static_cast<float>(t.at_least);
    if (static_cast<double>(least) < t.at_least) least = std::nextafter(least, std::numeric_limits<float>::infinity());
    at[static_cast<std::size_t>(urgency_of(t.urgency))] |= kernel.at_least(now, least) & possible & ~children;
  }
  std::fill(out.urgency.begin(), out.urgency.end(), std::uint8_t{0});
  for (std::size_t urgency = 1; urgency < at.size(); ++urgency)
    at[urgency].each([&](std::size_t r) { out.urgency[r] = static_cast<std::uint8_t>(urgency); });
}

}  // namespace dorsalgia
