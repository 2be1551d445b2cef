// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Sequential<Input<1, 28, 28>, Flatten, Dense<128>, Relu, Dense<10>>: a network
// as a type.
//
// Each layer's input shape is deduced from the layer before; a mismatch stops
// at one static_assert that shows both shapes. Sizes, bytes and FLOPs are
// constants. The type holds no data: parameters are one flat span, activations
// a Workspace.

#ifndef HPCNN_NN_SEQUENTIAL_H_
#define HPCNN_NN_SEQUENTIAL_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/nn/layer.h"

HPCNN_NAMESPACE_BEGIN

// The head of a network: the shape of one sample.
template <std::size_t... Dims>
struct Input {
  using Output = Shape<Dims...>;
};

// Satisfied by Input<...>.
template <class H>
concept NetworkInput = ShapeType<typename H::Output>;

namespace internal {

// Binds layers one after another; Bound collects the results.
template <std::size_t Index, class In, class Bound, class... Rest>
struct BindLayers {
  using Type = Bound;
};
template <std::size_t Index, class In, class... Bound, class Layer,
          class... Rest>
struct BindLayers<Index, In, std::tuple<Bound...>, Layer, Rest...> {
  using This = typename Layer::template On<In>;
  using Type = typename BindLayers<Index + 1, typename This::Output,
                                   std::tuple<Bound..., This>, Rest...>::Type;
};

// Apart from BindLayers, so that a failed check does not also take away the
// types that everything else is built on: one mistake, one message.
template <std::size_t Index, class In, class Layer>
struct CheckLayer {
  static_assert(
      kShapesChain<AtLayer<Index>, Produces<In>,
                   Expects<typename Layer::Expects>>,
      "hpcnn: a layer's input must have the shape that the layer before it "
      "produces; put Flatten before a layer that expects FlatShape");
  static_assert(BoundLayer<Layer>,
                "hpcnn: this is not a layer; see hpcnn/nn/layer.h");
  static_assert(
      !(Layer::kInPlace && ReadsInput<Layer>()),
      "hpcnn: a layer that works in place overwrites its input, which "
      "its way back cannot read: kInPlace excludes kReadsInput");
};

template <class Bound, class Indices>
struct CheckLayers;
template <class Bound, std::size_t... I>
struct CheckLayers<Bound, std::index_sequence<I...>>
    : CheckLayer<I, typename std::tuple_element_t<I, Bound>::Input,
                 std::tuple_element_t<I, Bound>>... {};

}  // namespace internal

// Calls f.template operator()<I>() for I = 0 ... Count - 1.
template <std::size_t Count, class F>
constexpr void ForEachIndex(F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (f.template operator()<I>(), ...);
  }
  (std::make_index_sequence<Count>{});
}
// The same, from Count - 1 down to 0.
template <std::size_t Count, class F>
constexpr void ForEachIndexBackwards(F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (f.template operator()<Count - 1 - I>(), ...);
  }
  (std::make_index_sequence<Count>{});
}

template <NetworkInput Head, LayerDescription... Layers>
struct Sequential {
  static_assert(sizeof...(Layers) > 0, "hpcnn: a network needs a layer");
  using Bound = typename internal::BindLayers<0, typename Head::Output,
                                              std::tuple<>, Layers...>::Type;
  template <std::size_t I>
  using LayerAt = std::tuple_element_t<I, Bound>;

  static constexpr std::size_t kLayers = sizeof...(Layers);
  static_assert(
      sizeof(internal::CheckLayers<Bound, std::make_index_sequence<kLayers>>) >
      0);
  static constexpr std::array<const char*, kLayers> kNames{Layers::kName...};
  using InputShape = typename Head::Output;
  using OutputShape = typename LayerAt<kLayers - 1>::Output;

  template <std::size_t I>
  static constexpr std::size_t kParameters =
      LayerAt<I>::kParameterRows* LayerAt<I>::kRowSize;

  // The offset of layer I's parameters in the flat span, and, for I = kLayers,
  // their number.
  static constexpr std::array<std::size_t, kLayers + 1> kParameterOffsets = [] {
    std::array<std::size_t, kLayers + 1> offsets{};
    ForEachIndex<kLayers>([&]<std::size_t I>() {
      offsets[I + 1] =
          offsets[I] + LayerAt<I>::kParameterRows * LayerAt<I>::kRowSize;
    });
    return offsets;
  }();
  static constexpr std::size_t kParameterCount = kParameterOffsets[kLayers];

  // Forward, one sample.
  static constexpr std::size_t kForwardFlops = [] {
    std::size_t flops = 0;
    ForEachIndex<kLayers>(
        [&]<std::size_t I>() { flops += LayerAt<I>::kForwardFlops; });
    return flops;
  }();

  // What each thread's passes need beside the activations, in elements.
  static constexpr std::size_t kScratch = [] {
    std::size_t scratch = 0;
    ForEachIndex<kLayers>([&]<std::size_t I>() {
      scratch = std::max(scratch, internal::Scratch<LayerAt<I>>());
    });
    return (scratch + 15) / 16 * 16;  // whole lines, of floats
  }();

  // The first layer with parameters: no gradient is needed before it.
  static constexpr std::size_t kFirstTrained = [] {
    std::size_t first = kLayers;
    ForEachIndexBackwards<kLayers>([&]<std::size_t I>() {
      if (LayerAt<I>::kParameterRows > 0) first = I;
    });
    return first;
  }();

  // The buffer that holds the output of layer I - 1 (of the network's input,
  // for I = 0). Layers that work in place share, unless the layer before needs
  // its output for the way back; kInBatch is the caller's batch, which is read
  // only.
  static constexpr std::size_t kInBatch = static_cast<std::size_t>(-1);
  static constexpr std::array<std::size_t, kLayers + 1> kBuffers = [] {
    std::array<std::size_t, kLayers + 1> buffers{};
    buffers[0] = kInBatch;
    std::size_t next = 0;
    bool read_only = true;
    ForEachIndex<kLayers>([&]<std::size_t I>() {
      const bool is_view = internal::IsView<LayerAt<I>>();
      const bool shares = is_view || (LayerAt<I>::kInPlace && !read_only);
      buffers[I + 1] = shares ? buffers[I] : next++;
      if (!is_view) read_only = internal::KeepsOutput<LayerAt<I>>();
    });
    return buffers;
  }();

  // The offset of each buffer, in elements per sample; the last entry that is
  // used is the number of activations that a sample needs.
  static constexpr std::array<std::size_t, kLayers + 1> kBufferOffsets = [] {
    std::array<std::size_t, kLayers + 1> offsets{};
    ForEachIndex<kLayers>([&]<std::size_t I>() {
      const std::size_t buffer = kBuffers[I + 1];
      if (buffer != kInBatch && buffer != kBuffers[I]) {
        for (std::size_t b = buffer + 1; b <= kLayers; ++b) {
          offsets[b] += LayerAt<I>::Output::kVolume;
        }
      }
    });
    return offsets;
  }();
  static constexpr std::size_t kActivations = kBufferOffsets[kLayers];

  // Fills the parameters: [kParameterCount]. The values depend on the seed
  // alone.
  template <class T>
  static void Initialise(std::uint64_t seed, std::span<T> params) {
    ForEachIndex<kLayers>([&]<std::size_t I>() {
      RandomStream stream({.seed = seed,
                           .epoch = 0,
                           .sample = static_cast<std::uint32_t>(I),
                           .op = RandomOp::kInitialise});
      LayerAt<I>::Initialise(Parameters<I>(params), stream);
    });
  }

  // The parameters of layer I.
  template <std::size_t I, class T>
  static std::span<T> Parameters(std::span<T> params) {
    return params.subspan(kParameterOffsets[I], kParameters<I>);
  }
};

namespace internal {

// Sequential<Head, Kept..., those of Rest that are not for training alone...>.
template <class Net, class... Rest>
struct WithoutTraining {
  using Type = Net;
};
template <class Head, class... Kept, class Layer, class... Rest>
struct WithoutTraining<Sequential<Head, Kept...>, Layer, Rest...>
    : WithoutTraining<
          std::conditional_t<TrainingOnly<Layer>(), Sequential<Head, Kept...>,
                             Sequential<Head, Kept..., Layer>>,
          Rest...> {};

template <class Net>
struct InferenceOf {
  using Type = Net;
};
template <class Head, class... Layers>
struct InferenceOf<Sequential<Head, Layers...>>
    : WithoutTraining<Sequential<Head>, Layers...> {
  static_assert(InferenceOf::Type::kParameterCount ==
                    Sequential<Head, Layers...>::kParameterCount,
                "hpcnn: a layer for training alone must not have parameters");
};

}  // namespace internal

// The network without the layers that only training has, such as Dropout. Those
// have no parameters, so all others' stay where they are.
template <class Net>
using Inference = typename internal::InferenceOf<Net>::Type;

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_SEQUENTIAL_H_
