// What a handle stands for: knowledge, model and engines, compiled once and then only read.
#pragma once

#include <array>
#include <memory>
#include <mutex>

#include "batch/batch.h"
#include "inference/exact.h"
#include "knowledge/knowledge.h"

namespace dorsalgia::abi {

struct Brain {
  Brain() : knowledge(builtin_knowledge()), model(compile(knowledge)), exact(model) {}
  Brain(const Brain&) = delete;
  Brain& operator=(const Brain&) = delete;

  const BatchEngine& batch(const std::string& profile) const {  // made on first use; "uk" or "us"
    const std::size_t i = profile == "us";
    std::call_once(made_[i], [&] { batch_[i] = std::make_unique<BatchEngine>(knowledge, model, exact, profile); });
    return *batch_[i];
  }

  Knowledge knowledge;
  Model model;
  ExactEngine exact;

 private:
  mutable std::array<std::once_flag, 2> made_;
  mutable std::array<std::unique_ptr<BatchEngine>, 2> batch_;
};

}  // namespace dorsalgia::abi
