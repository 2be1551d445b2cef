// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What optimizers do to each element: functions for Elementwise, of the
// gradient g, what the optimizer keeps, and the weight w. They give what is
// kept anew, and w. Square roots and quotients are rounded correctly by every
// policy.

#ifndef HPCNN_OPS_UPDATE_H_
#define HPCNN_OPS_UPDATE_H_

#include <array>
#include <cmath>

#include "hpcnn/base/target.h"
#include "hpcnn/ops/elementwise.h"

HPCNN_NAMESPACE_BEGIN

// v' = g + momentum * v and w' = w - rate * v'.
template <class T>
struct MomentumFunction {
  T rate;
  T momentum;
  std::array<T, 2> operator()(T g, T v, T w) const {
    v = g + momentum * v;
    return {v, w - rate * v};
  }
};

// v' = g + momentum * v and w' = w - rate * (g + momentum * v').
template <class T>
struct NesterovFunction {
  T rate;
  T momentum;
  std::array<T, 2> operator()(T g, T v, T w) const {
    v = g + momentum * v;
    return {v, w - rate * (g + momentum * v)};
  }
};

// v' = alpha * v + (1 - alpha) * g^2 and
// w' = w - rate * g / (sqrt(v') + epsilon).
template <class T>
struct RmsPropFunction {
  T rate;
  T alpha;
  T epsilon;
  std::array<T, 2> operator()(T g, T v, T w) const {
    v = alpha * v + (T{1} - alpha) * (g * g);
    return {v, w - rate * g / (std::sqrt(v) + epsilon)};
  }
};

// m' = beta1 * m + (1 - beta1) * g, v' = beta2 * v + (1 - beta2) * g^2 and
// w' = keep * w - rate * m' / (sqrt(v') + epsilon).
template <class T>
struct AdamFunction {
  T rate;
  T beta1;
  T beta2;
  T epsilon;
  T keep;
  std::array<T, 3> operator()(T g, T m, T v, T w) const {
    m = beta1 * m + (T{1} - beta1) * g;
    v = beta2 * v + (T{1} - beta2) * (g * g);
    return {m, v, keep * w - rate * m / (std::sqrt(v) + epsilon)};
  }
};

// g plus the gradient of l1 * |w| + l2 / 2 * w^2; 0 at the kink.
template <class T>
struct PenaltyFunction {
  T l1;
  T l2;
  T operator()(T g, T w) const {
    const T sign = static_cast<T>((w > T{0}) - (w < T{0}));
    return l2 * w + g + l1 * sign;
  }
};

// x within [-bound, bound].
template <class T>
struct ClampFunction {
  T bound;
  T operator()(T x) const {
    return std::abs(x) > bound ? std::copysign(bound, x) : x;
  }
};

template <class T>
struct ScaleFunction {
  T factor;
  T operator()(T x) const { return factor * x; }
};

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/ops/update_simd-inl.h"
#endif

#endif  // HPCNN_OPS_UPDATE_H_
