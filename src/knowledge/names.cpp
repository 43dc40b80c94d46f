#include <algorithm>
#include <numeric>

#include "knowledge/knowledge.h"

namespace dorsalgia {

namespace {

// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours count one each.
int edit_distance(const std::string& a, const std::string& b) {
  const std::size_t n = a.size(), m = b.size();
  std::vector<std::vector<int>> d(n + 1, std::vector<int>(m + 1));
  for (std::size_t i = 0; i <= n; ++i) d[i][0] = static_cast<int>(i);
  for (std::size_t j = 0; j <= m; ++j) d[0][j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= n; ++i)
    for (std::size_t j = 1; j <= m; ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[n][m];
}

}  // namespace

std::string nearest_name(const std::string& word, const std::vector<std::string>& known) {
  if (word.empty() || word.size() > 80) return "";
  std::string best;
  int best_distance = static_cast<int>(word.size()) / 3 + 2;  // further away is no help
  for (const auto& name : known) {
    int distance = edit_distance(word, name);
    if (word.size() >= 4 && (name.find(word) != std::string::npos || (name.size() >= 4 && word.find(name) != std::string::npos)))
      distance = std::min(distance, 2);
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best;
}

const char* status_name(Status status) {
  switch (status) {
    case Status::checked: return "checked";
    case Status::secondary: return "secondary";
    case Status::recalled: return "recalled";
    case Status::judgement: return "judgement";
  }
  return "";
}

namespace {
template <class T>
const T* by_id(const std::vector<T>& all, const std::string& id) {
  const auto it = std::find_if(all.begin(), all.end(), [&](const T& x) { return x.id == id; });
  return it == all.end() ? nullptr : &*it;
}
}  // namespace

const Finding* Knowledge::finding(const std::string& id) const { return by_id(findings, id); }
const Cause* Knowledge::cause(const std::string& id) const { return by_id(causes, id); }
const Course* Knowledge::course(const std::string& id) const { return by_id(courses, id); }
const Mechanism* Knowledge::mechanism(const std::string& id) const { return by_id(mechanisms, id); }
const Score* Knowledge::score(const std::string& id) const { return by_id(scores, id); }

}  // namespace dorsalgia
