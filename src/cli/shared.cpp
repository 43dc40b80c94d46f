#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "cli/cli.h"

namespace dorsalgia::cli {

namespace {

Knowledge load(const std::string& folder) {
  if (folder.empty()) return builtin_knowledge();
  Loaded loaded = load_knowledge_folder(folder);
  if (loaded.complaints.empty()) loaded.complaints = check_knowledge(loaded.knowledge);
  if (loaded.complaints.empty()) return std::move(loaded.knowledge);
  std::string all;
  for (const auto& c : loaded.complaints) all += fmt::format("{}/{}\n", folder, c.text());
  throw Stop(kBadInput, all + fmt::format("{} fault(s) in the knowledge base", loaded.complaints.size()));
}

}  // namespace

bool Shared::use_colour() const {
  if (colour != "auto") return colour == "always";
  return isatty(STDOUT_FILENO) && !std::getenv("NO_COLOR");
}

const Knowledge& Shared::knowledge() const {
  if (brain_) return brain_->knowledge;
  if (!knowledge_) knowledge_ = load(knowledge_dir);
  return *knowledge_;
}

const Brain& Shared::brain() const {
  if (!brain_) {
    brain_ = std::make_unique<Brain>();
    brain_->knowledge = knowledge_ ? std::move(*knowledge_) : load(knowledge_dir);
    brain_->model = compile(brain_->knowledge);
    brain_->engine = std::make_unique<ExactEngine>(brain_->model);
    brain_->draws = std::make_unique<ModelDraws>(brain_->knowledge, brain_->model, kDraws);
  }
  return *brain_;
}

std::string read_input(const std::string& file, std::size_t largest) {
  std::string text;
  if (file == "-") {
    std::ostringstream all;
    all << std::cin.rdbuf();
    text = all.str();
  } else {
    std::error_code error;
    if (std::filesystem::is_directory(file, error)) throw Stop(kBadInput, fmt::format("{}: this is a folder; give a file", file));
    std::ifstream in(file, std::ios::binary);
    if (!in) throw Stop(kBadInput, fmt::format("{}: {}", file, std::strerror(errno)));
    const auto size = std::filesystem::file_size(file, error);
    if (!error && size > largest) throw Stop(kBadInput, fmt::format("{}: {} bytes, more than {}", file, size, largest));
    std::ostringstream all;
    all << in.rdbuf();
    text = all.str();
  }
  if (text.size() > largest) throw Stop(kBadInput, fmt::format("{}: more than {} bytes", file, largest));
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) throw Stop(kBadInput, fmt::format("{}: empty", file));
  return text;
}

void write_output(const std::string& file, const std::string& text) {
  if (file.empty() || file == "-") {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
      throw Stop(kCannotWrite, "cannot write to standard output");
    return;
  }
  const std::string aside = file + ".part";
  {
    std::ofstream out(aside, std::ios::binary);
    out << text;
    out.flush();
    if (!out) {
      std::error_code ignored;
      std::filesystem::remove(aside, ignored);
      throw Stop(kCannotWrite, fmt::format("{}: cannot be written", file));
    }
  }
  std::error_code error;
  std::filesystem::rename(aside, file, error);
  if (error) throw Stop(kCannotWrite, fmt::format("{}: {}", file, error.message()));
}

}  // namespace dorsalgia::cli
