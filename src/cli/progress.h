// How far a long command is, on standard error: after two seconds, and only when that is a terminal.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace dorsalgia::cli {

class Progress {
 public:
  Progress(std::uint64_t total, std::string what) : total_(total), what_(std::move(what)) {
    if (isatty(STDERR_FILENO)) thread_ = std::thread([this] { run(); });
  }
  ~Progress() {
    {
      const std::lock_guard lock(mutex_);
      finished_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void add(std::uint64_t n) { done_ += n; }

 private:
  void run() {
    using namespace std::chrono_literals;
    const auto begin = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, 2s, [&] { return finished_; })) return;
    do {
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      const std::uint64_t done = done_;
      const double rate = static_cast<double>(done) / seconds, share = total_ ? static_cast<double>(done) / static_cast<double>(total_) : 1;
      constexpr int kBar = 24;
      const int full = static_cast<int>(share * kBar);
      std::string left = "?";
      if (rate > 0) left = fmt::format("{:.0f} s", static_cast<double>(total_ - done) / rate);
      fmt::print(stderr, "\r\x1b[K{}{} {:3.0f}%  {} of {} {}, {:.0f} a second, {} left", std::string(full, '#'),
                 std::string(kBar - full, '.'), 100 * share, done, total_, what_, rate, left);
      std::fflush(stderr);
    } while (!changed_.wait_for(lock, 500ms, [&] { return finished_; }));
    fmt::print(stderr, "\r\x1b[K");
  }

  const std::uint64_t total_;
  const std::string what_;
  std::atomic<std::uint64_t> done_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool finished_ = false;
  std::thread thread_;
};

}  // namespace dorsalgia::cli
