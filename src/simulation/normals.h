// Standard normal numbers and logarithms in single precision, many at a time: plain loops that compilers vectorise, without
// a call of the mathematical library.
// The same bits come out on every machine, whatever its vectors and its library.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dorsalgia {

// Two independent normal numbers from 64 random bits each (Box GEP, Muller ME, 1958), in single precision: those of
// r123::boxmuller but for the last bits, which cost three times as much. n is a multiple of 8.
void normal_pairs(const std::uint64_t* bits, std::size_t n, float* first, float* second);

// Natural logarithms of positive numbers. n is a multiple of 8.
void logarithms(const float* x, std::size_t n, float* out);

}  // namespace dorsalgia
