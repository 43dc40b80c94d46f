// What every function of include/dorsalgia.h does at its edge: handles, options, and errors that become codes.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <string>

#include "abi/brain.h"
#include "abi/fault.h"
#include "dorsalgia.h"

// The shell of a model outlives it: a handle that was freed is found to be so, and not a crash. 64 bytes a load are the price.
struct dorsalgia_model {
  static constexpr std::uint64_t kMagic = 0x646f7273616c6731;  // "dorsalg1"
  std::uint64_t magic = kMagic;
  mutable std::mutex mutex;
  std::shared_ptr<const dorsalgia::abi::Brain> brain;
};

namespace dorsalgia::abi {

inline std::shared_ptr<const Brain> brain_of(const dorsalgia_model* model) {
  if (!model) throw Fault(DORSALGIA_BAD_HANDLE, "the model is null: load one with dorsalgia_load");
  if (model->magic != dorsalgia_model::kMagic) throw Fault(DORSALGIA_BAD_HANDLE, "this is not a model: it was not made by dorsalgia_load");
  const std::lock_guard lock(model->mutex);
  if (!model->brain) throw Fault(DORSALGIA_BAD_HANDLE, "this model was freed");
  return model->brain;
}

inline void needed(const void* pointer, const char* name) {
  if (!pointer) throw Fault(DORSALGIA_BAD_HANDLE, fmt::format("{} is null", name));
}

inline int tell(dorsalgia_error* error, dorsalgia_code code, const char* message) {
  // A struct of another size than this version knows: only what it certainly holds.
  if (!error || error->size < offsetof(dorsalgia_error, message) + 2) return code;
  const std::size_t room = std::min(error->size - offsetof(dorsalgia_error, message), sizeof error->message);
  error->code = code;
  std::size_t n = std::min(std::strlen(message), room - 1);
  if (n < std::strlen(message))
    while (n > 0 && (static_cast<unsigned char>(message[n]) & 0xC0) == 0x80) --n;  // not within a character
  std::memcpy(error->message, message, n);
  error->message[n] = 0;
  return code;
}

// Runs the work of one call; whatever is thrown ends here.
template <class Work>
int call(dorsalgia_error* error, const Work& work) noexcept {
  try {
    work();
    return tell(error, DORSALGIA_OK, "");
  } catch (const Fault& fault) {
    return tell(error, fault.code, fault.what());
  } catch (const std::bad_alloc&) {
    return tell(error, DORSALGIA_NO_MEMORY, "out of memory");
  } catch (const std::exception& e) {
    return tell(error, DORSALGIA_INTERNAL, e.what());
  } catch (...) {
    return tell(error, DORSALGIA_INTERNAL, "an unknown exception");
  }
}

// What the caller's struct holds, the rest 0.
template <class Options>
Options taken(const Options* options) {
  Options out{};
  if (!options) return out;
  if (options->size < sizeof(std::size_t) || options->size > 4096)
    throw Fault(DORSALGIA_BAD_INPUT, "options: set `size` to the size of the struct");
  std::memcpy(&out, options, std::min(options->size, sizeof out));
  return out;
}

// Text for the caller, to be given back by dorsalgia_free_text.
inline char* handed_over(const std::string& text) {
  auto* out = static_cast<char*>(std::malloc(text.size() + 1));
  if (!out) throw std::bad_alloc();
  std::memcpy(out, text.c_str(), text.size() + 1);
  return out;
}

}  // namespace dorsalgia::abi
