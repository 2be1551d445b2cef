// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Fully connected layer: y = x W + b.
//
// Parameters: W [In, Out], then b [Out]; together one matrix [In + 1, Out].
// Source: the course's z = w^T x + b with w of shape (size_i, size_j).

#ifndef HPCNN_NN_DENSE_H_
#define HPCNN_NN_DENSE_H_

#include <algorithm>
#include <cstddef>
#include <span>

#include "hpcnn/nn/init.h"
#include "hpcnn/nn/layer.h"
#include "hpcnn/ops/gemm.h"
#include "hpcnn/ops/reduce.h"

HPCNN_NAMESPACE_BEGIN

template <std::size_t Outputs, class Init = Xavier>
struct Dense {
  static constexpr const char* kName = "Dense";

  template <ShapeType In>
  struct On {
    using Input = In;
    using Output = Shape<Outputs>;
    using Expects = FlatShape;
    static constexpr std::size_t kInputs = In::kVolume;
    static constexpr std::size_t kParameterRows = kInputs + 1;
    static constexpr std::size_t kRowSize = Outputs;
    static constexpr std::size_t kForwardFlops = 2 * kInputs * Outputs;
    static constexpr bool kInPlace = false;
    static constexpr bool kKeepsOutput = false;

    template <class T>
    static void Initialise(std::span<T> params, RandomStream& stream) {
      Init::Fill(params.first(kInputs * Outputs), kInputs, Outputs, stream);
      std::fill_n(Bias(params), Outputs, T{0});
    }

    template <ExecutionPolicy P, class T>
    static void Forward(std::span<const T> params, MatrixView<const T> x,
                        MatrixView<T> y) {
      for (std::size_t n = 0; n < y.rows(); ++n) {
        std::copy_n(Bias(params), Outputs, y.row(n));
      }
      Gemm<P>(x, Weights(params), y, Accumulate{});
    }

    template <ExecutionPolicy P, class T>
    static void BackwardInput(std::span<const T> params, MatrixView<const T>,
                              MatrixView<const T> d_y, MatrixView<T> d_x) {
      Gemm<P>(d_y, Transpose(Weights(params)), d_x);
    }

    template <ExecutionPolicy P, class T>
    static void BackwardParameters(MatrixView<const T> x,
                                   MatrixView<const T> d_y, IndexRange rows,
                                   std::span<T> d_params) {
      // Columns [begin, end) of x meet all of d_y; the last row is the bias.
      const std::size_t end = std::min(rows.end, kInputs);
      if (rows.begin < end) {
        const MatrixView<const T> columns(x.data() + rows.begin, x.rows(),
                                          end - rows.begin, x.stride());
        Gemm<P>(Transpose(columns), d_y,
                MatrixView<T>(d_params.data(), end - rows.begin, Outputs));
      }
      if (rows.end > kInputs) ColumnSums<P>(d_y, d_params.last(Outputs));
    }

   private:
    template <class T>
    static TensorView<const T, kInputs, Outputs> Weights(
        std::span<const T> params) {
      return TensorView<const T, kInputs, Outputs>(params.data());
    }
    template <class T>
    static T* Bias(std::span<T> params) {
      return params.data() + kInputs * Outputs;
    }
  };
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_DENSE_H_
