// Runs the program as its user would: through a shell, in a folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace dorsalgia::test {

inline std::string slurp(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

struct Outcome {
  int exit = -1;  // -1: killed by a signal
  std::string out, err;
};

class CommandLine : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("dorsalgia-test-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // `words` as typed into a shell, after the program's name; "@" stands for the source folder.
  Outcome run(const std::string& words, const std::string& input = "") { return shell("'" DORSALGIA_PROGRAM "' " + words, input); }

  Outcome shell(std::string command, const std::string& input = "") {
    for (std::size_t at; (at = command.find('@')) != std::string::npos;) command.replace(at, 1, DORSALGIA_SOURCE_DIR);
    write(".in", input);
    // A redirection inside the command (">/dev/full") stands further in than the one that collects the output.
    const int status = std::system(("cd '" + folder_.string() + "' && { " + command + "\n} <.in >.out 2>.err").c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, slurp(folder_ / ".out"), slurp(folder_ / ".err")};
  }

  std::string write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return name;
  }

  std::filesystem::path folder_;
};

}  // namespace dorsalgia::test
