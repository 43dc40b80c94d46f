// Smaller models, for tests and benchmarks.
#pragma once

#include <vector>

#include "model/model.h"

namespace dorsalgia::test {

// The model with so many of its causes, spread over the list, and what they alone bring.
inline Model with_causes(const Model& all, std::size_t count) {
  Model out = all;
  out.causes.clear();
  std::vector<int> number(all.causes.size(), -1);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t which = i * all.causes.size() / count;
    number[which] = static_cast<int>(i);
    out.causes.push_back(all.causes[which]);
  }
  // Links and shifts name causes by number.
  const auto gone = [&](bool of_cause, int& index) {
    if (of_cause) index = number[static_cast<std::size_t>(index)];
    return index < 0;
  };
  for (ModelFinding& f : out.findings) {
    std::erase_if(f.links, [&](Link& link) { return gone(link.parent == Parent::cause, link.index); });
    std::erase_if(f.shifts, [&](ShiftLink& link) { return gone(link.is_cause, link.index); });
  }
  return out;
}

}  // namespace dorsalgia::test
