// Tables of prevalence write "cannot be" (pregnancy in a man) as a number too small to matter. Readers refuse what cannot be, and nobody is
// drawn with it.
#pragma once

namespace dorsalgia {

inline constexpr double kNever = 5e-6;

}  // namespace dorsalgia
