// The same work for many pieces on several threads, each piece once, whoever comes first. What a piece yields must depend on the
// piece alone: then the results are the same for any number of threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace dorsalgia::abi {

inline unsigned threads_of(int wanted) {
  if (wanted > 0) return static_cast<unsigned>(wanted);
  const unsigned cores = std::thread::hardware_concurrency();
  return cores ? cores : 1;
}

// work(worker, piece): worker from 0 to `threads` - 1, for memory of its own. The first exception is thrown again here.
template <class Work>
void in_parallel(unsigned threads, std::size_t pieces, const Work& work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&](unsigned worker) {
    try {
      for (std::size_t piece = next++; piece < pieces; piece = next++) work(worker, piece);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      next = pieces;
    }
  };
  std::vector<std::thread> others;
  // A machine that has no thread to give does the work all the same.
  try {
    for (unsigned worker = 1; worker < threads && worker < pieces; ++worker) others.emplace_back(run, worker);
  } catch (const std::system_error&) {
  }
  run(0);
  for (std::thread& t : others) t.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace dorsalgia::abi
