// dorsalgia simulate: virtual people, one a line, with the truth beside what is known.
#include <fmt/format.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <mutex>
#include <thread>

#include "cli/cli.h"
#include "cli/progress.h"
#include "simulation/lines.h"
#include "simulation/people.h"

namespace dorsalgia::cli {

namespace {

constexpr std::uint64_t kChunk = 512;  // people that are written at once
constexpr int kStopped = 130;          // as shells count an interrupt

volatile std::sig_atomic_t interrupted = 0;

// An interrupt asks the command to stop after whole lines; the third one kills it (`timeout` sends two).
class StopOnInterrupt {
 public:
  StopOnInterrupt() {
    struct sigaction action {};
    action.sa_handler = [](int signal_number) {
      interrupted = interrupted + 1;
      if (interrupted <= 2) return;
      std::signal(signal_number, SIG_DFL);
      std::raise(signal_number);
    };
    action.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before_[i]);
  }
  ~StopOnInterrupt() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  }
  StopOnInterrupt(const StopOnInterrupt&) = delete;
  StopOnInterrupt& operator=(const StopOnInterrupt&) = delete;

 private:
  static constexpr std::array<int, 2> kSignals = {SIGINT, SIGTERM};
  std::array<struct sigaction, 2> before_{};
};

// Standard output, or a file that has its name only when it is whole.
class Sink {
 public:
  explicit Sink(const std::string& file) : file_(file == "-" ? "" : file) {
    if (!file_.empty() && std::filesystem::is_directory(file_)) throw Stop(kCannotWrite, file_ + ": this is a folder; give a file");
    out_ = file_.empty() ? stdout : std::fopen(aside().c_str(), "wb");
    if (!out_) throw Stop(kCannotWrite, fmt::format("{}: {}", file_, std::strerror(errno)));
  }
  ~Sink() {
    if (out_ && out_ != stdout) std::fclose(out_);
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  void write(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), out_) != text.size() || std::fflush(out_) != 0) fail();
  }
  void finish() {
    if (file_.empty()) return;
    if (std::fclose(std::exchange(out_, nullptr)) != 0) fail();
    std::error_code error;
    std::filesystem::rename(aside(), file_, error);
    if (error) throw Stop(kCannotWrite, fmt::format("{}: {}", file_, error.message()));
  }
  std::string aside() const { return file_ + ".part"; }
  bool to_file() const { return !file_.empty(); }

 private:
  [[noreturn]] void fail() {
    const std::string why = std::strerror(errno);
    if (to_file()) {
      std::error_code ignored;
      std::filesystem::remove(aside(), ignored);
    }
    throw Stop(kCannotWrite, fmt::format("{}: {}", to_file() ? file_ : "standard output", why));
  }
  std::string file_;
  std::FILE* out_ = nullptr;
};

struct Options {
  std::int64_t people = 1000, seed = 1;
  std::string setting, only, format = "jsonl", recorded = "all", output;
  std::vector<std::string> causes;
  std::vector<double> visits;
  unsigned threads = 0;
};

[[noreturn]] void unknown(const std::string& option, const std::string& what, const std::string& word,
                          const std::vector<std::string>& known, const std::string& otherwise) {
  const std::string near = nearest_name(word, known);
  throw Stop(kBadInput, fmt::format("{}: no {} is called '{}' ({})", option, what, word,
                                    near.empty() ? otherwise : fmt::format("did you mean '{}'?", near)));
}

Cohort cohort_of(const Options& o, const Knowledge& knowledge, const Model& m) {
  Cohort out;
  if (!o.setting.empty()) {
    const auto word = knowledge.vocabulary.settings.find(o.setting);
    const std::string id = word == knowledge.vocabulary.settings.end() ? o.setting : word->second;
    const auto at = std::find(m.settings.begin(), m.settings.end(), id);
    if (at == m.settings.end()) unknown("--setting", "setting", o.setting, m.settings, fmt::format("{}", fmt::join(m.settings, ", ")));
    out.setting = static_cast<int>(at - m.settings.begin());
  }
  if (!o.causes.empty() || !o.only.empty()) {
    out.causes.assign(m.causes.size(), o.causes.empty() ? 1 : 0);
    std::vector<std::string> ids;
    for (const auto& c : m.causes) ids.push_back(c.id);
    for (const auto& word : o.causes) {
      const int c = m.cause(word);
      if (c < 0) unknown("--cause", "cause", word, ids, "dorsalgia knowledge list causes");
      out.causes[static_cast<std::size_t>(c)] = 1;
    }
    bool any = false;
    for (std::size_t c = 0; c < m.causes.size(); ++c) {
      const int index = static_cast<int>(c);
      const bool meant = o.only.empty() || (o.only == "tumours" ? m.is_tumour(index) : m.is_malignant(index));
      if (!meant) out.causes[c] = 0;
      any = any || out.causes[c] > 0;
    }
    if (!any) throw Stop(kBadInput, fmt::format("--only {}: none of the causes that --cause names is one of them", o.only));
  }
  if (!o.visits.empty()) {
    if (o.visits[0] != 0) throw Stop(kBadInput, "--visits: the first visit is at week 0: --visits 0,4,12");
    for (std::size_t i = 1; i < o.visits.size(); ++i) {
      if (!(o.visits[i] > o.visits[i - 1]) || !(o.visits[i] <= 520))
        throw Stop(kBadInput, "--visits: weeks must rise, up to 520: --visits 0,4,12");
      out.later.push_back(o.visits[i]);
    }
    if (o.visits.size() > 12) throw Stop(kBadInput, "--visits: at most 12");
  }
  if (o.format == "csv" && !out.later.empty())
    throw Stop(kBadInput, "--format csv: a row holds one visit (use --format jsonl for --visits)");
  return out;
}

void run(const Shared& shared, const Options& o) {
  const Knowledge& knowledge = shared.knowledge();
  const Model model = compile(knowledge);
  const Cohort cohort = cohort_of(o, knowledge, model);
  const Recording recording = compile_recording(knowledge, model);
  const bool as_record = o.recorded == "record";
  if (as_record && recording.kinds.empty())
    throw Stop(kBadInput, "--recorded record: this knowledge folder has no recording.yaml (see docs/knowledge.md)");
  std::unique_ptr<People> people;
  try {
    people = std::make_unique<People>(model, static_cast<std::uint64_t>(o.seed), cohort, as_record ? &recording : nullptr);
  } catch (const std::invalid_argument&) {
    throw Stop(kBadInput, "nobody with such a cause comes to this setting (rates and settings: dorsalgia knowledge show CAUSE)");
  }
  const PersonLines lines(knowledge, model);
  const auto count = static_cast<std::uint64_t>(o.people);
  const bool csv = o.format == "csv";

  Sink sink(o.output);
  std::uint64_t written = 0;
  {
    const StopOnInterrupt stop;
    Progress progress(count, "people");
    if (csv) sink.write(lines.csv_head());

    // Each thread takes the next chunk, and waits its turn to write it: memory stays the same for any number of people.
    std::mutex mutex;
    std::condition_variable turn;
    std::uint64_t taken = 0, next = 0;  // chunks
    std::exception_ptr failure;
    const auto work = [&] {
      try {
        VirtualPerson person;
        std::string text;
        for (;;) {
          std::uint64_t chunk = 0;
          {
            const std::lock_guard lock(mutex);
            if (failure || interrupted || taken * kChunk >= count) return;
            chunk = taken++;
          }
          text.clear();
          const std::uint64_t from = chunk * kChunk, to = std::min(from + kChunk, count);
          for (std::uint64_t i = from; i < to; ++i) {
            people->draw(i, person);
            csv ? lines.csv(person, text) : lines.json(person, text);
          }
          std::unique_lock lock(mutex);
          turn.wait(lock, [&] { return next == chunk || failure; });
          if (failure) return;
          sink.write(text);
          written += to - from;
          ++next;
          progress.add(to - from);
          turn.notify_all();
        }
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        turn.notify_all();
      }
    };
    std::vector<std::thread> others;
    const unsigned threads = o.threads ? o.threads : std::max(1U, std::thread::hardware_concurrency());
    for (unsigned i = 1; i < threads; ++i) others.emplace_back(work);
    work();
    for (auto& t : others) t.join();
    if (failure) std::rethrow_exception(failure);
  }
  if (written < count)
    throw Stop(kStopped, fmt::format("stopped after {} of {} people; every line is whole{}", written, o.people,
                                     sink.to_file() ? fmt::format(" in {}", sink.aside()) : ""));
  sink.finish();
}

}  // namespace

void add_simulate(CLI::App& app, Shared& shared) {
  auto o = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("simulate", "Virtual people drawn from the model, one a line, with the truth beside what is known");
  command->add_option("--people", o->people, "How many")->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))->capture_default_str();
  command->add_option("--seed", o->seed, "The same seed gives the same people, whatever their number or --threads")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--setting", o->setting, "Only those seen there: community, primary_care, emergency, specialist")->type_name("NAME");
  command
      ->add_option("--cause", o->causes,
                   "Only people with this cause; may be given several times or as a,b (dorsalgia knowledge list causes)")
      ->delimiter(',')
      ->type_name("NAME");
  command->add_option("--only", o->only, "Only people with a tumour, or with a malignant one")
      ->check(CLI::IsMember({"tumours", "malignant"}));
  command->add_option("--format", o->format, "jsonl: as assess and evaluate read it, with \"truth\"; csv: flat, first visit")
      ->check(CLI::IsMember({"jsonl", "csv"}))
      ->capture_default_str();
  command->add_option("--visits", o->visits, "Weeks of the visits, the first at 0: 0,4,12")->delimiter(',')->type_name("WEEKS");
  command->add_option("--recorded", o->recorded, "all: every answer; record: what a record would hold, the rest unknown")
      ->check(CLI::IsMember({"all", "record"}))
      ->capture_default_str();
  command->add_option("--threads", o->threads, "0: one a core")->check(CLI::Range(0U, 256U))->capture_default_str();
  command->add_option("-o,--output", o->output, "Write here instead of to standard output; it gets its name when it is complete")
      ->type_name("FILE");
  command->footer(
      "With --cause or --only, \"weight\" is the share of all who come to the setting that the cohort stands for: weigh by it to count\n"
      "as in the population. Ages follow those who come, children included. See docs/simulation.md.\n"
      "Interrupted, it leaves whole lines (in FILE.part with -o) and ends with 130.");
  command->callback([o, &shared] { run(shared, *o); });
}

}  // namespace dorsalgia::cli
