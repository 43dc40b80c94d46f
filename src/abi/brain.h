// What a handle stands for: knowledge, model and engines, compiled once and then only read. Who asks for one person
// only (the page) does not carry the engine for tables: it is named here, and made in results.cpp.
#pragma once

#include <array>
#include <memory>
#include <mutex>

#include "inference/intervals.h"
#include "knowledge/knowledge.h"

namespace dorsalgia {
class BatchEngine;
}

namespace dorsalgia::abi {

struct Brain {
  Brain() : knowledge(builtin_knowledge()), model(compile(knowledge)), exact(model), draws(knowledge, model, kDraws) {}
  Brain(const Brain&) = delete;
  Brain& operator=(const Brain&) = delete;

  const BatchEngine& batch(const std::string& profile) const;  // made on first use; "uk" or "us"

  Knowledge knowledge;
  Model model;
  ExactEngine exact;
  ModelDraws draws;

 private:
  mutable std::array<std::once_flag, 2> made_;
  mutable std::array<std::shared_ptr<const BatchEngine>, 2> batch_;
};

}  // namespace dorsalgia::abi
