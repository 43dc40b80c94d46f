// What the commands share: the knowledge and engine they work with, reading and writing, exit codes.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "inference/intervals.h"
#include "knowledge/knowledge.h"
#include "model/model.h"

namespace dorsalgia::cli {

inline constexpr int kOk = 0, kBadInput = 2, kCannotWrite = 3;

// Ends the command with a clear line on stderr. Thrown by commands, caught in main.
struct Stop : std::runtime_error {
  Stop(int exit_code, const std::string& message) : std::runtime_error(message), code(exit_code) {}
  int code;
};

// Knowledge, model and engine: the built-in ones, or those of --knowledge DIR (Stop with every complaint when it has any).
struct Brain {
  Knowledge knowledge;
  Model model;
  std::unique_ptr<ExactEngine> engine;
  std::unique_ptr<ModelDraws> draws;
};
struct Shared {
  std::string knowledge_dir;           // --knowledge; empty: built in
  std::string colour = "auto";         // --color auto|always|never
  bool use_colour() const;             // a terminal, and NO_COLOR is not set
  const Brain& brain() const;          // made on first use
  const Knowledge& knowledge() const;  // without compiling a model
 private:
  mutable std::unique_ptr<Brain> brain_;
  mutable std::optional<Knowledge> knowledge_;
};

// A file, or standard input for "-". Stop when it is a folder, missing, empty or larger than `largest` bytes.
std::string read_input(const std::string& file, std::size_t largest);
// To a file (written aside, then renamed: never half a file), or standard output for "" and "-". Stop(kCannotWrite) on failure.
void write_output(const std::string& file, const std::string& text);

void add_assess(CLI::App& app, Shared& shared);
void add_ask(CLI::App& app, Shared& shared);
void add_knowledge(CLI::App& app, Shared& shared);
void add_score(CLI::App& app, Shared& shared);
void add_evaluate(CLI::App& app, Shared& shared);
void add_studies(CLI::App& app, Shared& shared);  // calibrate, validate
void add_simulate(CLI::App& app, Shared& shared);
void add_trial(CLI::App& app, Shared& shared);

}  // namespace dorsalgia::cli
