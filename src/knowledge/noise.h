// The noise in the draws that calibration leaves: standard normal numbers by counter, the same on every machine (but for the last
// digits of a logarithm). A draw is the optimum plus a root of the covariance times its noise; most numbers were hardly touched
// by studies, and stay so near to theirs that the difference is quickly told.
#pragma once

#include <cstddef>

namespace dorsalgia {

double noise(std::size_t draw, std::size_t parameter);

}  // namespace dorsalgia
