// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Fractions as types, for slopes and probabilities: Percent<20>, or any
// std::ratio where hundredths are too coarse.

#ifndef HPCNN_BASE_PERCENT_H_
#define HPCNN_BASE_PERCENT_H_

#include <cstdint>
#include <ratio>

#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

template <std::intmax_t N>
using Percent = std::ratio<N, 100>;

// The number that a std::ratio stands for.
template <class Ratio, class T>
inline constexpr T kNumber = static_cast<T>(Ratio::num) /
                             static_cast<T>(Ratio::den);

HPCNN_NAMESPACE_END

#endif  // HPCNN_BASE_PERCENT_H_
