// The built-in knowledge, compiled once for all tests or benchmarks of a program.
#pragma once

#include "inference/intervals.h"
#include "knowledge/knowledge.h"
#include "model/model.h"

namespace dorsalgia::test {

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
inline const ModelDraws& draws() {
  static const ModelDraws d(knowledge(), model(), kDraws);
  return d;
}
inline const Oracle& oracle() {
  static const Oracle o(model());
  return o;
}

}  // namespace dorsalgia::test
