// The built-in knowledge, compiled once for all benchmarks of a program.
#pragma once

#include "inference/exact.h"
#include "knowledge/knowledge.h"

namespace dorsalgia {

inline const Knowledge& knowledge() {
  static const Knowledge k = builtin_knowledge();
  return k;
}
inline const Model& model() {
  static const Model m = compile(knowledge());
  return m;
}
inline const ExactEngine& engine() {
  static const ExactEngine e(model());
  return e;
}

}  // namespace dorsalgia
