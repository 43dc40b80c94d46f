#include "evidence/discrimination.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace dorsalgia {

namespace {

constexpr double kNormal95 = 1.959963984540054;

std::vector<std::size_t> by_prediction(const std::vector<Prediction>& people) {
  std::vector<std::size_t> order(people.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return people[a].predicted < people[b].predicted; });
  return order;
}

// Calls use(first, last) for each run of equal predictions in the order, both as places in `order`, last excluded.
template <class Use>
void each_tie(const std::vector<Prediction>& people, const std::vector<std::size_t>& order, Use use) {
  for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
    while (last < order.size() && people[order[last]].predicted == people[order[first]].predicted) ++last;
    use(first, last);
  }
}

double total_weight(const std::vector<Prediction>& people) {
  double sum = 0;
  for (const Prediction& p : people) sum += p.weight;
  return sum;
}

double logit(double p) {
  const double kept = std::clamp(p, kNearest, 1 - kNearest);
  return std::log(kept / (1 - kept));
}

Estimate normal_interval(double value, double sd) { return {value, value - kNormal95 * sd, value + kNormal95 * sd}; }

// Weighted logistic regression by Newton's steps. Column i of x: person i. Nothing when it does not settle.
template <int K>
struct Fit {
  Eigen::Matrix<double, K, 1> coefficients;
  Eigen::Matrix<double, K, K> covariance;  // sandwich
};
template <int K>
std::optional<Fit<K>> logistic(const Eigen::Matrix<double, K, Eigen::Dynamic>& x, const Eigen::VectorXd& offset,
                               const std::vector<Prediction>& people) {
  using Vector = Eigen::Matrix<double, K, 1>;
  using Matrix = Eigen::Matrix<double, K, K>;
  const double weight = total_weight(people);
  Vector b = Vector::Zero();
  for (int step = 0; step < 50; ++step) {
    Vector score = Vector::Zero();
    Matrix information = Matrix::Zero(), outer = Matrix::Zero();
    for (Eigen::Index i = 0; i < x.cols(); ++i) {
      const Prediction& p = people[static_cast<std::size_t>(i)];
      const Vector row = x.col(i);
      const double mu = 1 / (1 + std::exp(-(offset[i] + b.dot(row)))), residual = p.weight * ((p.truth ? 1 : 0) - mu);
      score += residual * row;
      information += p.weight * mu * (1 - mu) * row * row.transpose();
      outer += residual * residual * row * row.transpose();
    }
    const Eigen::FullPivLU<Matrix> solver(information);
    if (!solver.isInvertible()) return std::nullopt;
    Vector move = solver.solve(score);
    const double to_gain = score.dot(move);  // twice the log likelihood that is left to gain
    // A step that is too long would leap over the optimum into flat ground.
    if (const double longest = move.cwiseAbs().maxCoeff(); longest > 2) move *= 2 / longest;
    if (!move.allFinite()) return std::nullopt;
    b += move;
    if (move.cwiseAbs().maxCoeff() < 1e-10 || to_gain < 1e-18 * weight) {
      const Matrix inverse = solver.inverse();
      return Fit<K>{b, inverse * outer * inverse};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Estimate> auroc(const std::vector<Prediction>& people) {
  double yes = 0, no = 0;
  int yes_people = 0, no_people = 0;
  for (const Prediction& p : people) (p.truth ? yes : no) += p.weight, ++(p.truth ? yes_people : no_people);
  if (yes_people == 0 || no_people == 0) return std::nullopt;

  // placed[i]: the weight of the other kind that person i is on the right side of, ties half, as a share.
  const auto order = by_prediction(people);
  std::vector<double> placed(people.size());
  double yes_below = 0, no_below = 0, area = 0;
  each_tie(people, order, [&](std::size_t first, std::size_t last) {
    double yes_here = 0, no_here = 0;
    for (std::size_t i = first; i < last; ++i) (people[order[i]].truth ? yes_here : no_here) += people[order[i]].weight;
    for (std::size_t i = first; i < last; ++i)
      placed[order[i]] = people[order[i]].truth ? (no_below + no_here / 2) / no : (yes - yes_below - yes_here / 2) / yes;
    area += yes_here * (no_below + no_here / 2) / yes / no;
    yes_below += yes_here, no_below += no_here;
  });

  double variance = 0;
  for (const bool truth : {true, false}) {
    const int n = truth ? yes_people : no_people;
    double sum = 0;
    for (std::size_t i = 0; i < people.size(); ++i)
      if (people[i].truth == truth) sum += std::pow(people[i].weight * (placed[i] - area), 2);
    variance += sum / std::pow(truth ? yes : no, 2) * n / std::max(1, n - 1);
  }
  if (area > 1 - 1e-12 || area < 1e-12) area = std::round(area);  // rounding in the sum must not look like a rank lost
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (yes_people < 2 || no_people < 2 || area <= 0 || area >= 1) return Estimate{area, kNone, kNone};
  // On the logit scale, where the interval cannot leave 0 to 1.
  const double sd = std::sqrt(variance);
  const double centre = std::log(area / (1 - area)), spread = kNormal95 * sd / (area * (1 - area));
  return Estimate{area, 1 / (1 + std::exp(spread - centre)), 1 / (1 + std::exp(-spread - centre))};
}

std::optional<CalibrationLine> calibration_line(const std::vector<Prediction>& people) {
  const auto n = static_cast<Eigen::Index>(people.size());
  Eigen::Matrix<double, 2, Eigen::Dynamic> line(2, n);
  Eigen::VectorXd predicted(n);
  constexpr double kFar = std::numeric_limits<double>::infinity();
  double least_yes = kFar, most_yes = -kFar, least_no = kFar, most_no = -kFar;
  for (Eigen::Index i = 0; i < n; ++i) {
    const Prediction& p = people[static_cast<std::size_t>(i)];
    predicted[i] = logit(p.predicted);
    double &least = p.truth ? least_yes : least_no, &most = p.truth ? most_yes : most_no;
    least = std::min(least, predicted[i]), most = std::max(most, predicted[i]);
    line(0, i) = 1, line(1, i) = predicted[i];
  }
  if (least_yes >= most_no || most_yes <= least_no) return std::nullopt;  // separated, or one of the two is missing
  const auto free = logistic<2>(line, Eigen::VectorXd::Zero(n), people);
  const auto held = logistic<1>(line.topRows(1), predicted, people);
  if (!free || !held) return std::nullopt;
  return CalibrationLine{normal_interval(free->coefficients[1], std::sqrt(free->covariance(1, 1))),
                         normal_interval(free->coefficients[0], std::sqrt(free->covariance(0, 0))),
                         normal_interval(held->coefficients[0], std::sqrt(held->covariance(0, 0)))};
}

Brier brier(const std::vector<Prediction>& people) {
  double sum = 0, events = 0;
  for (const Prediction& p : people) {
    sum += p.weight * std::pow(p.predicted - (p.truth ? 1 : 0), 2);
    if (p.truth) events += p.weight;
  }
  const double all = total_weight(people);
  if (!(all > 0)) return {};
  return {sum / all, events / all * (1 - events / all)};
}

std::vector<CalibrationGroup> calibration_by_tenths(const std::vector<Prediction>& people) {
  const auto order = by_prediction(people);
  const double all = total_weight(people);
  struct Sum {
    double weight = 0, predicted = 0, events = 0, squares = 0;
    int people = 0, people_with = 0;
  };
  std::vector<Sum> sums(10);
  double below = 0;
  each_tie(people, order, [&](std::size_t first, std::size_t last) {
    double here = 0;
    for (std::size_t i = first; i < last; ++i) here += people[order[i]].weight;
    Sum& s = sums[static_cast<std::size_t>(std::clamp((below + here / 2) / all * 10, 0.0, 9.0))];
    for (std::size_t i = first; i < last; ++i) {
      const Prediction& p = people[order[i]];
      s.weight += p.weight, s.squares += p.weight * p.weight, s.predicted += p.weight * p.predicted;
      ++s.people;
      if (p.truth) s.events += p.weight, ++s.people_with;
    }
    below += here;
  });
  std::vector<CalibrationGroup> out;
  for (const Sum& s : sums) {
    if (s.people == 0) continue;
    CalibrationGroup g;
    g.share = s.weight / all, g.predicted = s.predicted / s.weight, g.observed = s.events / s.weight;
    g.people = s.people, g.events = s.people_with;
    // As many people as would tell as much with equal weights (Kish).
    const double n = s.weight * s.weight / s.squares, z = kNormal95 * kNormal95 / n;
    const double middle = (g.observed + z / 2) / (1 + z);
    const double half = std::sqrt(z * (g.observed * (1 - g.observed) + z / 4)) / (1 + z);
    g.low = std::max(0.0, middle - half), g.high = std::min(1.0, middle + half);
    out.push_back(g);
  }
  return out;
}

Decisions act_when(const std::vector<bool>& acts, const std::vector<Prediction>& people) {
  Decisions d;
  for (std::size_t i = 0; i < people.size(); ++i)
    (people[i].truth ? acts[i] ? d.true_positive : d.false_negative : acts[i] ? d.false_positive : d.true_negative) += people[i].weight;
  if (const double all = total_weight(people); all > 0)
    d.true_positive /= all, d.false_positive /= all, d.false_negative /= all, d.true_negative /= all;
  return d;
}

Decisions act_from(double threshold, const std::vector<Prediction>& people) {
  std::vector<bool> acts;
  acts.reserve(people.size());
  for (const Prediction& p : people) acts.push_back(p.predicted >= threshold);
  return act_when(acts, people);
}

}  // namespace dorsalgia
