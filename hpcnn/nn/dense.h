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
    static void Forward(const ForwardPass<T>& pass) {
      for (std::size_t n = 0; n < pass.y.rows(); ++n) {
        std::copy_n(Bias(pass.params), Outputs, pass.y.row(n));
      }
      Gemm<P>(pass.x, Weights(pass.params), pass.y, Accumulate{});
    }

    template <ExecutionPolicy P, class T>
    static void BackwardInput(const BackwardPass<T>& pass) {
      Gemm<P>(pass.d_y, Transpose(Weights(pass.params)), pass.d_x);
    }

    template <ExecutionPolicy P, class T>
    static void BackwardParameters(const ParameterPass<T>& pass) {
      // Columns [begin, end) of x meet all of d_y; the last row is the bias.
      const std::size_t begin = pass.rows.begin;
      const std::size_t end = std::min(pass.rows.end, kInputs);
      if (begin < end) {
        Gemm<P>(Transpose(pass.x.Region(0, begin, pass.x.rows(), end - begin)),
                pass.d_y,
                MatrixView<T>(pass.d_params.data(), end - begin, Outputs));
      }
      if (pass.rows.end > kInputs) {
        ColumnSums<P>(pass.d_y, pass.d_params.last(Outputs));
      }
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
