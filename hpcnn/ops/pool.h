// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Pooling of a batch of images [N, C * Y * X] to [N, C * OpY * OpX]: the largest
// or the mean pixel of each window, channel by channel.
//
//   using G = PoolGeometry<Shape<8, 24, 24>, 2, 2>;   // to [8, 12, 12]
//   MaxPoolForward<G, Simd>(x, y);
//   MaxPoolBackward<G, Simd>(x, y, d_y, d_x);
//   AvgPoolForward<G, Simd>(x, y);
//   AvgPoolBackward<G, Simd>(d_y, d_x);
//
// The gradient of a maximum goes to the first of equal pixels, row by row. A
// window with a NaN gives NaN. Simd has a way of its own for windows of 2 x 2
// that do not overlap; other windows are what the compiler makes of Scalar.

#ifndef HPCNN_OPS_POOL_H_
#define HPCNN_OPS_POOL_H_

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "hpcnn/base/check.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/conv_geometry.h"

HPCNN_NAMESPACE_BEGIN

// Windows of Rows x Cols on images [C, Y, X], Steps apart. Of what is no image,
// one, as ConvGeometry.
template <ShapeType Image, std::size_t Rows, std::size_t Cols,
          class Steps = Stride<Rows, Cols>>
struct PoolGeometry : PoolGeometry<Shape<1, Rows, Cols>, Rows, Cols> {};
template <std::size_t C, std::size_t Y, std::size_t X, std::size_t Rows,
          std::size_t Cols, class Steps>
struct PoolGeometry<Shape<C, Y, X>, Rows, Cols, Steps> {
  static constexpr std::size_t kChannels = C;
  static constexpr std::size_t kInRows = Y;
  static constexpr std::size_t kInCols = X;
  static constexpr std::size_t kWindowRows = Rows;
  static constexpr std::size_t kWindowCols = Cols;
  static constexpr std::size_t kStepRows = Steps::kRows;
  static constexpr std::size_t kStepCols = Steps::kCols;
  static constexpr std::size_t kRows =
      internal::Positions(Y, Rows, 0, Steps::kRows);
  static constexpr std::size_t kCols =
      internal::Positions(X, Cols, 0, Steps::kCols);
  static_assert(sizeof(internal::CheckPositions<Y, Rows, 0, Steps::kRows>) >
                    0 &&
                sizeof(internal::CheckPositions<X, Cols, 0, Steps::kCols>) > 0);

  using Input = Shape<C, Y, X>;
  using Output = Shape<C, kRows, kCols>;
};

namespace internal {

template <class Policy>
struct PoolKernel {
  HPCNN_NO_KERNEL("Pool", Policy, "hpcnn/ops/pool_cuda.cuh");
};

// Calls f(window's first pixel, its result) for each window of a sample.
template <class G, class In, class Out, class F>
void ForEachWindow(In* x, Out* y, const F& f) {
  for (std::size_t c = 0; c < G::kChannels; ++c) {
    for (std::size_t i = 0; i < G::kRows; ++i) {
      In* const row = x + (c * G::kInRows + i * G::kStepRows) * G::kInCols;
      for (std::size_t j = 0; j < G::kCols; ++j) {
        f(row + j * G::kStepCols, y++);
      }
    }
  }
}

template <>
struct PoolKernel<Scalar> {
  template <class G, class T>
  static void Max(const T* x, T* y) {
    ForEachWindow<G>(x, y, [](const T* window, T* out) {
      T largest = *window;
      for (std::size_t r = 0; r < G::kWindowRows; ++r) {
        for (std::size_t c = 0; c < G::kWindowCols; ++c) {
          const T value = window[r * G::kInCols + c];
          if (value > largest || std::isnan(value)) largest = value;
        }
      }
      *out = largest;
    });
  }

  template <class G, class T>
  static void MaxGradient(const T* x, const T* y, const T* d_y, T* d_x) {
    std::fill_n(d_x, G::Input::kVolume, T{0});
    ForEachWindow<G>(x, y, [&](const T* window, const T* out) {
      for (std::size_t r = 0; r < G::kWindowRows; ++r) {
        for (std::size_t c = 0; c < G::kWindowCols; ++c) {
          const T* const pixel = window + r * G::kInCols + c;
          if (*pixel != *out) continue;
          d_x[pixel - x] += d_y[out - y];
          return;
        }
      }
    });
  }

  template <class G, class T>
  static void Mean(const T* x, T* y) {
    ForEachWindow<G>(x, y, [](const T* window, T* out) {
      T sum{0};
      for (std::size_t r = 0; r < G::kWindowRows; ++r) {
        for (std::size_t c = 0; c < G::kWindowCols; ++c) {
          sum += window[r * G::kInCols + c];
        }
      }
      *out = sum * kShare<G, T>;
    });
  }

  template <class G, class T>
  static void MeanGradient(const T* d_y, T* d_x) {
    std::fill_n(d_x, G::Input::kVolume, T{0});
    ForEachWindow<G>(d_x, d_y, [](T* window, const T* d_out) {
      for (std::size_t r = 0; r < G::kWindowRows; ++r) {
        for (std::size_t c = 0; c < G::kWindowCols; ++c) {
          window[r * G::kInCols + c] += *d_out * kShare<G, T>;
        }
      }
    });
  }

 private:
  template <class G, class T>
  static constexpr T kShare = T{1} /
                              static_cast<T>(G::kWindowRows* G::kWindowCols);
};

template <class G, class T>
void CheckPoolBatch(MatrixView<T> image, MatrixView<T> result) {
  HPCNN_CHECK(image.rows() == result.rows() &&
                  image.cols() == G::Input::kVolume &&
                  result.cols() == G::Output::kVolume,
              "pooling needs images of [N, C * Y * X] and [N, C * OpY * OpX]");
}

}  // namespace internal

template <class G, ExecutionPolicy Policy = DefaultPolicy, class T>
void MaxPoolForward(MatrixView<const T> x, MatrixView<T> y) {
  internal::CheckPoolBatch<G>(x, MatrixView<const T>(y));
  for (std::size_t n = 0; n < x.rows(); ++n) {
    internal::PoolKernel<Policy>::template Max<G>(x.row(n), y.row(n));
  }
}

// d_x from what Forward read and wrote, and d_y.
template <class G, ExecutionPolicy Policy = DefaultPolicy, class T>
void MaxPoolBackward(MatrixView<const T> x, MatrixView<const T> y,
                     MatrixView<const T> d_y, MatrixView<T> d_x) {
  internal::CheckPoolBatch<G>(x, y);
  internal::CheckPoolBatch<G>(MatrixView<const T>(d_x), d_y);
  for (std::size_t n = 0; n < x.rows(); ++n) {
    internal::PoolKernel<Policy>::template MaxGradient<G>(
        x.row(n), y.row(n), d_y.row(n), d_x.row(n));
  }
}

template <class G, ExecutionPolicy Policy = DefaultPolicy, class T>
void AvgPoolForward(MatrixView<const T> x, MatrixView<T> y) {
  internal::CheckPoolBatch<G>(x, MatrixView<const T>(y));
  for (std::size_t n = 0; n < x.rows(); ++n) {
    internal::PoolKernel<Policy>::template Mean<G>(x.row(n), y.row(n));
  }
}

template <class G, ExecutionPolicy Policy = DefaultPolicy, class T>
void AvgPoolBackward(MatrixView<const T> d_y, MatrixView<T> d_x) {
  internal::CheckPoolBatch<G>(MatrixView<const T>(d_x), d_y);
  for (std::size_t n = 0; n < d_y.rows(); ++n) {
    internal::PoolKernel<Policy>::template MeanGradient<G>(d_y.row(n),
                                                           d_x.row(n));
  }
}

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/ops/pool_simd-inl.h"
#endif

#endif  // HPCNN_OPS_POOL_H_
