// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Slice<First, Dims...>: the elements of a sample from First on, as a tensor of
// shape Dims. With it a network has several inputs: a sample holds one after
// another, and each branch takes its own:
//
//   Sequential<Input<784 + 10>,
//              Concat<Chain<Slice<0, 1, 28, 28>, ..., Flatten>,
//                     Slice<784, 10>>, ...>

#ifndef HPCNN_NN_SLICE_H_
#define HPCNN_NN_SLICE_H_

#include <algorithm>
#include <cstddef>

#include "hpcnn/nn/layer.h"

HPCNN_NAMESPACE_BEGIN

// The words of a static_assert.
template <std::size_t End, class In>
inline constexpr bool kSliceEndsWithin = End <= In::kVolume;

namespace internal {

template <std::size_t End, class In>
struct CheckSlice {
  static_assert(kSliceEndsWithin<End, In>,
                "hpcnn: Slice<First, Dims...> must end within its input");
};

}  // namespace internal

template <std::size_t First, std::size_t... Dims>
struct Slice {
  static constexpr const char* kName = "Slice";

  template <ShapeType In>
  struct On : ParameterFree<In, Shape<Dims...>> {
    static constexpr std::size_t kSize = Shape<Dims...>::kVolume;
    static_assert(sizeof(internal::CheckSlice<First + kSize, In>) > 0);
    using Expects = AnyShape;
    static constexpr std::size_t kForwardFlops = 0;
    static constexpr bool kInPlace = false;
    static constexpr bool kKeepsOutput = false;

    template <ExecutionPolicy P, class T>
    static void Forward(const ForwardPass<T>& pass) {
      for (std::size_t n = 0; n < pass.y.rows(); ++n) {
        std::copy_n(pass.x.row(n) + First, kSize, pass.y.row(n));
      }
    }
    template <ExecutionPolicy P, class T>
    static void BackwardInput(const BackwardPass<T>& pass) {
      for (std::size_t n = 0; n < pass.d_x.rows(); ++n) {
        T* const to = pass.d_x.row(n);
        std::fill_n(to, pass.d_x.cols(), T{0});
        std::copy_n(pass.d_y.row(n), kSize, to + First);
      }
    }
  };
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_SLICE_H_
