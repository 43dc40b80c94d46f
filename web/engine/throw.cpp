// Throwing without the machinery of exceptions, which would be a third of what the page fetches: the message goes to the page, which
// throws it on (web/src/engine/native.ts). Frames in between are not unwound, so what they held is lost until the page closes;
// the engine throws only when it refuses its input.
#include <cstdlib>
#include <exception>
#include <typeinfo>

extern "C" {

__attribute__((import_module("env"), import_name("dorsalgia_thrown"), noreturn)) void dorsalgia_thrown(const char* message);

void* __cxa_allocate_exception(std::size_t size) noexcept { return std::malloc(size); }  // NOLINT: names of the C++ ABI
void __cxa_free_exception(void* thrown) noexcept { std::free(thrown); }                 // NOLINT
// Everything that is thrown here derives from std::exception, and it alone.
[[noreturn]] void __cxa_throw(void* thrown, std::type_info*, void (*)(void*)) {  // NOLINT
  dorsalgia_thrown(static_cast<const std::exception*>(thrown)->what());
}

}  // extern "C"
