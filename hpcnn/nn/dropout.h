// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Dropout<Percent<20>>: in training each element is 0 with that probability and
// larger by 1 / (1 - 0.2) otherwise. Which ones depends on the seed, the step,
// the layer and the sample, not on threads. Inference<Net> (sequential.h), which
// Trainer::Forward, Evaluate and Predictor run, does not contain it.

#ifndef HPCNN_NN_DROPOUT_H_
#define HPCNN_NN_DROPOUT_H_

#include <cstddef>
#include <ratio>

#include "hpcnn/nn/layer.h"
#include "hpcnn/ops/dropout.h"

HPCNN_NAMESPACE_BEGIN

// The words of a static_assert: the std::ratio.
template <class Probability>
inline constexpr bool kLeavesSomething =
    std::ratio_greater_equal_v<Probability, std::ratio<0>>&&
        std::ratio_less_v<Probability, std::ratio<1>>;

namespace internal {

// Apart from the layer, so that nothing else fails.
template <class Probability>
struct CheckProbability {
  static_assert(kLeavesSomething<Probability>,
                "hpcnn: Dropout needs a probability of at least 0 and below 1, "
                "such as Percent<20>");
};

}  // namespace internal

template <class Probability>
struct Dropout {
  static constexpr const char* kName = "Dropout";
  static constexpr bool kTrainingOnly = true;

  template <ShapeType In>
  struct On : ParameterFree<In, In> {
    static_assert(sizeof(internal::CheckProbability<Probability>) > 0);
    using Expects = AnyShape;
    static constexpr std::size_t kForwardFlops = In::kVolume;
    static constexpr bool kInPlace = true;
    static constexpr bool kKeepsOutput = false;

    template <ExecutionPolicy P, class T>
    static void Forward(const ForwardPass<T>& pass) {
      Drop<P>(pass.place, pass.x, pass.y);
    }
    template <ExecutionPolicy P, class T>
    static void BackwardInput(const BackwardPass<T>& pass) {
      Drop<P>(pass.place, pass.d_y, pass.d_x);
    }

   private:
    template <ExecutionPolicy P, class T>
    static void Drop(RandomPlace place, MatrixView<const T> x,
                     MatrixView<T> y) {
      place.op = RandomOp::kDropout;
      DropElements<Probability, P>(place, x, y);
    }
  };
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_DROPOUT_H_
