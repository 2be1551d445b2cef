// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// LayerNorm: each sample, whatever its shape, minus its mean over its standard
// deviation, then a gain and a shift for each element, which are learned.
//
// Parameters: two rows, gains and shifts.

#ifndef HPCNN_NN_LAYER_NORM_H_
#define HPCNN_NN_LAYER_NORM_H_

#include <algorithm>
#include <cstddef>
#include <span>

#include "hpcnn/nn/layer.h"
#include "hpcnn/ops/layer_norm.h"
#include "hpcnn/ops/reduce.h"

HPCNN_NAMESPACE_BEGIN

struct LayerNorm {
  static constexpr const char* kName = "LayerNorm";

  template <ShapeType In>
  struct On {
    using Input = In;
    using Output = In;
    using Expects = AnyShape;
    static constexpr std::size_t kParameterRows = 2;
    static constexpr std::size_t kRowSize = In::kVolume;
    static constexpr std::size_t kForwardFlops = 8 * In::kVolume;
    static constexpr bool kInPlace = false;
    static constexpr bool kReadsInput = true;
    static constexpr bool kKeepsOutput = false;
    static constexpr std::size_t kScratch = In::kVolume;

    template <class T>
    static void Initialise(std::span<T> params, RandomStream&) {
      std::fill_n(params.begin(), kRowSize, T{1});
      std::fill_n(params.begin() + kRowSize, kRowSize, T{0});
    }

    template <ExecutionPolicy P, class T>
    static void Forward(const ForwardPass<T>& pass) {
      LayerNormForward<P>(pass.x, pass.params.first(kRowSize),
                          pass.params.last(kRowSize), pass.y);
    }

    template <ExecutionPolicy P, class T>
    static void BackwardInput(const BackwardPass<T>& pass) {
      LayerNormBackwardInput<P>(pass.x, pass.params.first(kRowSize), pass.d_y,
                                pass.d_x);
    }

    template <ExecutionPolicy P, class T>
    static void BackwardParameters(const ParameterPass<T>& pass) {
      if (pass.rows.begin == 0 && pass.rows.end > 0) {
        LayerNormBackwardGain<P>(pass.x, pass.d_y,
                                 pass.d_params.first(kRowSize), pass.scratch);
      }
      if (pass.rows.begin < 2 && pass.rows.end == 2) {
        ColumnSums<P>(pass.d_y, pass.d_params.last(kRowSize));
      }
    }
  };
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_LAYER_NORM_H_
