// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Sequential<Input<1, 28, 28>, Flatten, Dense<128>, Relu, Dense<10>>: a network
// as a type. Where a layer stands it may branch: Residual, SumOf, Concat
// (branch.h).
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

#include "hpcnn/base/for_each_index.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/nn/branch.h"
#include "hpcnn/nn/graph.h"
#include "hpcnn/nn/layer.h"
#include "hpcnn/nn/memory_plan.h"

HPCNN_NAMESPACE_BEGIN

// The head of a network: the shape of one sample.
template <std::size_t... Dims>
struct Input {
  using Output = Shape<Dims...>;
};

// Satisfied by Input<...>.
template <class H>
concept NetworkInput = ShapeType<typename H::Output>;

template <NetworkInput Head, LayerDescription... Layers>
struct Sequential {
  static_assert(sizeof...(Layers) > 0, "hpcnn: a network needs a layer");
  using InputShape = typename Head::Output;
  // What runs, one after another: the layers, those of branches too, and where
  // branches begin and end (graph.h).
  using Nodes =
      typename internal::AppendAll<internal::Walk<std::tuple<>, 0, InputShape>,
                                   AtLayer<>, 0,
                                   internal::TypeList<Layers...>>::Type::All;
  static_assert(sizeof(internal::CheckNodes<Nodes>) > 0);
  template <std::size_t I>
  using NodeAt = std::tuple_element_t<I, Nodes>;
  template <std::size_t I>
  using LayerAt = typename NodeAt<I>::Layer;

  static constexpr std::size_t kLayers = std::tuple_size_v<Nodes>;
  using OutputShape = typename LayerAt<kLayers - 1>::Output;

  template <std::size_t I>
  static constexpr std::size_t kParameters =
      LayerAt<I>::kParameterRows* LayerAt<I>::kRowSize;

  // The layer whose parameters layer I uses: itself, unless they are shared.
  static constexpr std::array<std::size_t, kLayers> kOwners = [] {
    std::array<std::size_t, kLayers> owners{};
    ForEachIndex<kLayers>([&]<std::size_t I>() {
      owners[I] = internal::ParameterOwner<Nodes, I>();
    });
    return owners;
  }();

  // The offset of layer I's parameters in the flat span, and, for I = kLayers,
  // their number.
  static constexpr std::array<std::size_t, kLayers + 1> kParameterOffsets = [] {
    std::array<std::size_t, kLayers + 1> offsets{};
    std::size_t next = 0;
    ForEachIndex<kLayers>([&]<std::size_t I>() {
      const bool owns = kOwners[I] == I;
      offsets[I] = owns ? next : offsets[kOwners[I]];
      if (owns) next += LayerAt<I>::kParameterRows * LayerAt<I>::kRowSize;
    });
    offsets[kLayers] = next;
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

  // Where layer I's gradient is summed over several places: room for some rows.
  template <std::size_t I>
  static constexpr std::size_t kSumElements =
      std::ranges::count(kOwners, kOwners[I]) > 1
          ? std::max(LayerAt<I>::kRowSize, std::size_t{4096})
          : 0;

  // What each thread's passes need beside the activations, in elements.
  static constexpr std::size_t kScratch = [] {
    std::size_t scratch = 0;
    ForEachIndex<kLayers>([&]<std::size_t I>() {
      scratch =
          std::max(scratch, internal::Scratch<LayerAt<I>>() + kSumElements<I>);
    });
    return (scratch + 15) / 16 * 16;  // whole lines, of floats
  }();

  // The offsets of all values and gradients, in elements a sample.
  static constexpr const auto& kMemory = internal::Planned<Nodes>::kPlan;
  static constexpr std::size_t kActivations = kMemory.value_elements;
  static constexpr std::size_t kGradients = kMemory.gradient_elements;

  // Where layer I's statistics of a batch lie, and, for I = kLayers, how many
  // elements they all are.
  static constexpr std::array<std::size_t, kLayers + 1> kStatisticsOffsets =
      [] {
        std::array<std::size_t, kLayers + 1> offsets{};
        ForEachIndex<kLayers>([&]<std::size_t I>() {
          offsets[I + 1] = offsets[I] + internal::Statistics<LayerAt<I>>();
        });
        return offsets;
      }();

  // Between two stops samples are independent: a layer with statistics waits for
  // all of the batch. 0, those layers, kLayers.
  static constexpr std::size_t kSegments = [] {
    std::size_t segments = 1;
    ForEachIndex<kLayers>([&]<std::size_t I>() {
      if (internal::Statistics<LayerAt<I>>() > 0) ++segments;
    });
    return segments;
  }();
  static constexpr std::array<std::size_t, kSegments + 1> kStops = [] {
    std::array<std::size_t, kSegments + 1> stops{};
    std::size_t segment = 0;
    ForEachIndex<kLayers>([&]<std::size_t I>() {
      if (internal::Statistics<LayerAt<I>>() > 0) stops[++segment] = I;
    });
    stops[kSegments] = kLayers;
    return stops;
  }();

  // The first layer with parameters that are trained.
  static constexpr std::size_t kFirstTrained = [] {
    std::size_t first = kLayers;
    ForEachIndexBackwards<kLayers>([&]<std::size_t I>() {
      if (internal::TrainedRows<LayerAt<I>>() > 0) first = I;
    });
    return first;
  }();

  // Fills the parameters: [kParameterCount]. The values depend on the seed
  // alone.
  template <class T>
  static void Initialise(std::uint64_t seed, std::span<T> params) {
    ForEachIndex<kLayers>([&]<std::size_t I>() {
      RandomStream stream({.seed = seed,
                           .epoch = 0,
                           .sample = static_cast<std::uint32_t>(I),
                           .op = RandomOp::kInitialise});
      if constexpr (kOwners[I] == I) {
        LayerAt<I>::Initialise(Parameters<I>(params), stream);
      }
    });
  }

  // The parameters of layer I.
  template <std::size_t I, class T>
  static std::span<T> Parameters(std::span<T> params) {
    return params.subspan(kParameterOffsets[I], kParameters<I>);
  }
};

namespace internal {

template <class Head, class List>
struct ToSequential;
template <class Head, class... L>
struct ToSequential<Head, TypeList<L...>> {
  using Type = Sequential<Head, L...>;
};

template <class Net>
struct InferenceNet {
  using Type = Net;
};
template <class Head, class... L>
struct InferenceNet<Sequential<Head, L...>>
    : ToSequential<Head, InferenceOf<L...>> {
  static_assert(InferenceNet::Type::kParameterCount ==
                    Sequential<Head, L...>::kParameterCount,
                "hpcnn: a layer for training alone must not have parameters");
};

}  // namespace internal

// The network without the layers that only training has, such as Dropout. Those
// have no parameters, so all others' stay where they are.
template <class Net>
using Inference = typename internal::InferenceNet<Net>::Type;

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_SEQUENTIAL_H_
