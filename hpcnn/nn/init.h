// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Initial values of weights: types with a static Fill(weights, fan_in, fan_out,
// stream).

#ifndef HPCNN_NN_INIT_H_
#define HPCNN_NN_INIT_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "hpcnn/base/random.h"
#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

// Uniform in +-sqrt(6 / (fan_in + fan_out)): keeps the variance of activations
// and gradients level through tanh-like layers. Glorot & Bengio, AISTATS 2010.
struct Xavier {
  template <class T>
  static void Fill(std::span<T> weights, std::size_t fan_in,
                   std::size_t fan_out, RandomStream& stream) {
    const float limit = std::sqrt(6.0f / static_cast<float>(fan_in + fan_out));
    for (T& w : weights) w = T{stream.Uniform(-limit, limit)};
  }
};

// Uniform in +-sqrt(6 / fan_in): keeps the variance of activations level through
// ReLUs, which halve it. He et al., ICCV 2015.
struct He {
  template <class T>
  static void Fill(std::span<T> weights, std::size_t fan_in, std::size_t,
                   RandomStream& stream) {
    const float limit = std::sqrt(6.0f / static_cast<float>(fan_in));
    for (T& w : weights) w = T{stream.Uniform(-limit, limit)};
  }
};

struct Zeros {
  template <class T>
  static void Fill(std::span<T> weights, std::size_t, std::size_t,
                   RandomStream&) {
    std::fill(weights.begin(), weights.end(), T{0});
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_INIT_H_
