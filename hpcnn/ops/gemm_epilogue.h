// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What Gemm does to its sums while they are in a cache, and Conv2dImage when all are
// made, as an argument behind the update:
//
//   Gemm<Simd>(x, w, y, Overwrite{},
//              InOrder(AddBias<float>{bias}, Activate<ReluFunction>{}));
//   Gemm<Simd>(d_z, Transpose(w), d_x, Overwrite{},
//              MaskGradient<ReluGradient, float>{{}, x});
//
// A type of your own has Apply<Policy>(MatrixView<T> c, row, col) const, called
// for parts of C, each once: c(0, 0) is C(row, col). Threads call it at once.

#ifndef HPCNN_OPS_GEMM_EPILOGUE_H_
#define HPCNN_OPS_GEMM_EPILOGUE_H_

#include <cstddef>
#include <span>
#include <tuple>

#include "hpcnn/base/check.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/elementwise.h"

HPCNN_NAMESPACE_BEGIN

// C(m, n) += bias[n].
template <class T>
struct AddBias {
  std::span<const T> bias;  // [N]

  template <class Policy>
  void Apply(MatrixView<T> c, std::size_t, std::size_t col) const {
    HPCNN_CHECK(col + c.cols() <= bias.size(), "AddBias needs a bias of [N]");
    for (std::size_t r = 0; r < c.rows(); ++r) {
      const std::span<T> row(c.row(r), c.cols());
      Add<Policy>(std::span<const T>(row), bias.subspan(col, c.cols()), row);
    }
  }
};

// C(m, n) += bias[m].
template <class T>
struct AddRowBias {
  std::span<const T> bias;  // [M]

  template <class Policy>
  void Apply(MatrixView<T> c, std::size_t row, std::size_t) const {
    HPCNN_CHECK(row + c.rows() <= bias.size(),
                "AddRowBias needs a bias of [M]");
    for (std::size_t r = 0; r < c.rows(); ++r) {
      for (std::size_t n = 0; n < c.cols(); ++n) c(r, n) += bias[row + r];
    }
  }
};

// C(m, n) = f(C(m, n)), f of elementwise.h.
template <class F>
struct Activate {
  F f;

  template <class Policy, class T>
  void Apply(MatrixView<T> c, std::size_t, std::size_t) const {
    for (std::size_t r = 0; r < c.rows(); ++r) {
      const std::span<T> row(c.row(r), c.cols());
      Elementwise<Policy>(f, row, row);
    }
  }
};

// C(m, n) = f(y(m, n), C(m, n)): the gradient of an activation's input, from
// its output and its output's gradient.
template <class F, class T>
struct MaskGradient {
  F f;
  MatrixView<const T> y;  // [M, N]

  template <class Policy>
  void Apply(MatrixView<T> c, std::size_t row, std::size_t col) const {
    HPCNN_CHECK(row + c.rows() <= y.rows() && col + c.cols() <= y.cols(),
                "MaskGradient needs a y of [M, N]");
    for (std::size_t r = 0; r < c.rows(); ++r) {
      const std::span<T> out(c.row(r), c.cols());
      Elementwise<Policy>(
          f, out, std::span<const T>(y.row(row + r) + col, c.cols()), out);
    }
  }
};

// One after the other.
template <class... Steps>
struct InOrder {
  explicit InOrder(const Steps&... all) : steps(all...) {}
  std::tuple<Steps...> steps;

  template <class Policy, class T>
  void Apply(MatrixView<T> c, std::size_t row, std::size_t col) const {
    std::apply(
        [&](const auto&... step) {
          (step.template Apply<Policy>(c, row, col), ...);
        },
        steps);
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_GEMM_EPILOGUE_H_
