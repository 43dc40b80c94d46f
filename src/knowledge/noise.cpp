#include "knowledge/noise.h"

#include <Random123/philox.h>

#include <Random123/boxmuller.hpp>
#include <cstdint>

namespace dorsalgia {

double noise(std::size_t draw, std::size_t parameter) {
  r123::Philox4x32 philox;
  const auto pair = static_cast<std::uint32_t>(parameter & ~std::size_t{1});
  const auto r = philox({{pair, static_cast<std::uint32_t>(draw), 0, 0}}, {{0x0d0b5a16u, 0x0ca11b8au}});
  const auto two = r123::boxmuller((static_cast<std::uint64_t>(r[0]) << 32) | r[1], (static_cast<std::uint64_t>(r[2]) << 32) | r[3]);
  return parameter & 1 ? two.y : two.x;
}

}  // namespace dorsalgia
