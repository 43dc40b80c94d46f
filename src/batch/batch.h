// The batch engine: the posteriors of the exact engine for a table of people, a few microseconds each.
//
// Single precision in SIMD lanes, one person a lane; agrees with ExactEngine to 1e-5 of each probability (or 1e-9). Rows
// that the lanes do not serve (unknown age or sex, answers so odd that single precision ends) go through ExactEngine.
// Every row comes out the same whatever rows stand beside it, so results do not hang on chunks or threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "batch/table.h"
#include "inference/exact.h"

namespace dorsalgia {

class BatchEngine {
 public:
  // All three must outlive this. profile: "uk" or "us", for urgency. target: one of targets(), or empty for the best one here.
  BatchEngine(const Knowledge& knowledge, const Model& model, const ExactEngine& exact, const std::string& profile = "uk",
              const std::string& target = "");
  ~BatchEngine();
  BatchEngine(BatchEngine&&) noexcept;

  // Instruction sets that this machine can run, best first ("avx512", "avx2", "sse4", "plain").
  static std::vector<std::string> targets();

  // out: reused. Const and safe from several threads, each with its own `out`.
  void posterior(const PeopleTable& people, const Wanted& wanted, PosteriorTable& out) const;

  const Model& model() const;

 private:
  struct Tables;
  std::unique_ptr<Tables> t_;
};

}  // namespace dorsalgia
