// dorsalgia evaluate: how well published cases with known truth are triaged, ranked and placed.
#include "evidence/evaluate.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/cli.h"
#include "report/reference.h"

namespace dorsalgia::cli {

using nlohmann::json;

namespace {

constexpr int kWidth = 100;
constexpr std::size_t kLargestCases = 256u << 20;

// Says on a terminal that work goes on, once it has lasted two seconds.
class Waiting {
 public:
  explicit Waiting(std::size_t cases) {
    if (isatty(STDERR_FILENO)) thread_ = std::thread([this, cases] { run(cases); });
  }
  ~Waiting() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  void run(std::size_t cases) {
    using namespace std::chrono_literals;
    const auto begin = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, 2s, [&] { return done_; })) return;
    do {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin).count();
      fmt::print(stderr, "\rscoring {} cases, {} s", cases, seconds);
    } while (!changed_.wait_for(lock, 1s, [&] { return done_; }));
    fmt::print(stderr, "\r\x1b[K");
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

std::string share(const json& x) { return x.is_number() ? fmt::format("{:.1f}%", 100 * x.get<double>()) : "-"; }
std::string area(const json& x) { return x.is_number() ? fmt::format("{:.3f}", x.get<double>()) : "-"; }
std::string count(const json& x) { return fmt::format("{}", x.get<int>()); }

std::string words(const json& x) {
  if (x.is_string()) return x;
  std::vector<std::string> parts;
  for (const auto& part : x) parts.push_back(part);
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string table(const json& result, bool colour) {
  std::string out;
  const json& headline = result["headline"];
  auto bold = [&](const std::string& s) { return colour ? "\x1b[1m" + s + "\x1b[0m" : s; };
  auto head = [&](const std::string& title) {
    out += fmt::format("{}{}\n", out.empty() ? "" : "\n", bold(fmt::format("{:<56}{:>12}{:>12}", title, "headline", "all")));
  };
  auto line = [&](const std::string& label, const char* path, auto tell) {
    const json::json_pointer at(path);
    out += fmt::format("  {:<54}{:>12}{:>12}\n", label, tell(headline.at(at)), tell(result.at(at)));
  };
  head("Cases");
  line("scored", "/counts/cases", count);
  line("with a stated urgency", "/counts/urgency_scored", count);
  line("emergencies, not borderline", "/counts/emergencies_not_borderline", count);
  line("with a stated cause", "/counts/causes_scored", count);
  line("tumours among them", "/counts/tumours", count);
  line("children: probabilities withheld", "/counts/children_probabilities_withheld", count);
  line("with a level", "/counts/levels_scored", count);
  head("Urgency");
  line("emergencies called emergency", "/urgency/emergency_sensitivity", share);
  line("as stated, or next to it where borderline", "/urgency/agreement", share);
  line("less urgent than stated", "/urgency/under_triaged", share);
  line("more urgent than stated", "/urgency/over_triaged", share);
  head("Cause, every group equally common");
  line("group of causes ranked first", "/cause/top1", share);
  line("group of causes among the first three", "/cause/top3", share);
  line("tumour or not: area under the ROC curve", "/cause/tumour_auroc", area);
  head("Cause, with true base rates");
  line("group of causes ranked first", "/cause/with_base_rates/top1", share);
  line("group of causes among the first three", "/cause/with_base_rates/top3", share);
  line("tumour or not: area under the ROC curve", "/cause/with_base_rates/tumour_auroc", area);
  head("Level");
  line("likeliest level within two of the true one", "/level/within_two", share);
  out += "\nheadline: cases whose back pain and cause are stated and whose findings are more than thin.\n";
  return out;
}

std::string misses(const json& result, bool colour) {
  std::string out;
  std::vector<std::string> kinds;
  std::size_t width = 0;
  for (const auto& m : result["misses"]) {
    if (!std::count(kinds.begin(), kinds.end(), m["what"].get<std::string>())) kinds.push_back(m["what"]);
    width = std::min<std::size_t>(32, std::max(width, m["id"].get<std::string>().size()));
  }
  std::sort(kinds.begin(), kinds.end(),
            [](const auto& a, const auto& b) { return (a == "urgency") != (b == "urgency") ? a == "urgency" : a < b; });
  for (const auto& kind : kinds) {
    const std::string title =
        fmt::format("Missed: {} ({})", kind,
                    std::count_if(result["misses"].begin(), result["misses"].end(), [&](const auto& m) { return m["what"] == kind; }));
    out += fmt::format("\n{}\n", colour ? "\x1b[1m" + title + "\x1b[0m" : title);
    for (const auto& m : result["misses"])
      if (m["what"] == kind)
        out += fmt::format("  {:<{}}  {}\n", m["id"].get<std::string>(), width,
                           wrapped(fmt::format("expected {}, got {}; {}", words(m["expected"]), words(m["got"]), words(m["reason"])),
                                   kWidth, static_cast<int>(width) + 4));
  }
  if (!result["unknown_names"].empty()) {
    std::vector<std::string> names;
    for (const auto& [name, n] : result["unknown_names"].items())
      names.push_back(n == 1 ? name : fmt::format("{} ({})", name, n.get<int>()));
    out += fmt::format("\nNames that were not understood and not used:\n  {}\n",
                       wrapped(fmt::format("{}", fmt::join(names, ", ")), kWidth, 2));
  }
  return out;
}

void run(const Shared& shared, const std::string& file, const std::string& profile, const std::string& output, bool as_json) {
  const std::string lines = read_input(file, kLargestCases);
  const Brain& brain = shared.brain();
  std::vector<CaseFault> faults;
  json result;
  {
    const Waiting waiting(static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n')) + (lines.back() != '\n'));
    result = evaluate(lines, brain.knowledge, *brain.engine, profile, faults);
  }
  const bool colour = shared.use_colour() && (output.empty() || output == "-");
  const std::string ending = fmt::format("\nModel {} ({}), profile {}.\n", result["model"]["version"].get<std::string>(),
                                         result["model"]["hash"].get<std::string>(), profile);
  write_output(output, as_json ? result.dump(2) + "\n" : table(result, colour) + misses(result, colour) + ending);
  if (faults.empty()) return;
  std::string told;
  for (const auto& f : faults)
    told += fmt::format("{}{}:{}: {}", told.empty() ? "" : "\n", file == "-" ? "standard input" : file, f.line, f.text);
  throw Stop(kBadInput, told);
}

}  // namespace

void add_evaluate(CLI::App& app, Shared& shared) {
  struct Options {
    std::string file, profile = "uk", output;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("evaluate", "Score a file of cases with known truth, one JSON object a line");
  command->add_option("CASES", options->file, "The file (JSON Lines), - for standard input")->required();
  command->add_option("--profile", options->profile, "Whose guidelines: uk or us")
      ->check(CLI::IsMember({"uk", "us"}))
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "Write here instead of to standard output")->type_name("FILE");
  command->add_flag("--json", options->json, "As JSON");
  command->callback([&shared, options] { run(shared, options->file, options->profile, options->output, options->json); });
}

}  // namespace dorsalgia::cli
