// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Where a network's values and gradients lie: offsets within the memory of one
// sample, as constants. What works in place shares its input's place, unless
// somebody else still needs that.

#ifndef HPCNN_NN_MEMORY_PLAN_H_
#define HPCNN_NN_MEMORY_PLAN_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <tuple>

#include "hpcnn/base/target.h"
#include "hpcnn/nn/graph.h"
#include "hpcnn/nn/layer.h"

HPCNN_NAMESPACE_BEGIN

// Places that are none: the caller's batch, which is read only, and the gradient
// of a value that nothing trained comes before.
inline constexpr std::size_t kInBatch = static_cast<std::size_t>(-1);
inline constexpr std::size_t kNoGradient = static_cast<std::size_t>(-1);

namespace internal {

// What the plan asks of a node.
struct NodeFacts {
  std::span<const std::size_t> from;
  std::size_t volume = 0;
  bool is_view = false;
  bool is_tap = false;
  bool is_last_tap = false;
  bool is_join = false;
  bool in_place = false;
  bool keeps_output = false;
  bool shares_gradient = false;
  bool is_trained = false;
};

template <class Node>
consteval NodeFacts FactsOf() {
  using L = typename Node::Layer;
  NodeFacts facts{.from = Node::kFrom,
                  .volume = L::Output::kVolume,
                  .is_view = IsView<L>(),
                  .is_tap = IsTap<L>(),
                  .is_join = IsJoin<L>(),
                  .in_place = L::kInPlace,
                  .keeps_output = KeepsOutput<L>(),
                  .is_trained = TrainedRows<L>() > 0};
  if constexpr (IsTap<L>()) facts.is_last_tap = L::kIsLast;
  if constexpr (IsJoin<L>()) facts.shares_gradient = L::kSharesGradient;
  return facts;
}

// Of value 0, the input, and value I + 1, the output of node I.
template <std::size_t Nodes>
struct MemoryPlan {
  std::array<std::size_t, Nodes + 1> values{};
  std::size_t value_elements = 0;
  std::array<std::size_t, Nodes + 1> gradients{};
  std::size_t gradient_elements = 0;
};

template <std::size_t Nodes>
constexpr void PlanValues(const std::array<NodeFacts, Nodes>& nodes,
                          MemoryPlan<Nodes>& plan) {
  std::array<bool, Nodes + 1> read_only{};
  plan.values[0] = kInBatch;
  read_only[0] = true;
  for (std::size_t i = 0; i < Nodes; ++i) {
    const NodeFacts& node = nodes[i];
    const std::size_t from = node.from.back();
    if (node.is_view || (node.in_place && !read_only[from])) {
      plan.values[i + 1] = plan.values[from];
    } else {
      plan.values[i + 1] = plan.value_elements;
      plan.value_elements += node.volume;
    }
    read_only[i + 1] =
        node.is_tap || (node.is_view ? read_only[from] : node.keeps_output);
  }
}

template <std::size_t Nodes>
constexpr void PlanGradients(const std::array<NodeFacts, Nodes>& nodes,
                             MemoryPlan<Nodes>& plan) {
  // Behind what is trained, so that the way back comes past.
  std::array<bool, Nodes + 1> needed{};
  for (std::size_t i = 0; i < Nodes; ++i) {
    needed[i + 1] =
        nodes[i].is_trained ||
        std::any_of(nodes[i].from.begin(), nodes[i].from.end(),
                    [&](std::size_t value) { return needed[value]; });
  }
  plan.gradients.fill(kNoGradient);
  const auto take = [&](std::size_t value) {
    plan.gradients[value] = plan.gradient_elements;
    plan.gradient_elements += nodes[value - 1].volume;
  };
  take(Nodes);  // the loss writes it
  std::array<bool, Nodes + 1> read_only{};
  for (std::size_t i = Nodes; i-- > 0;) {
    const NodeFacts& node = nodes[i];
    for (const std::size_t from : node.from) {
      if (!needed[from] || (node.is_tap && !node.is_last_tap)) continue;
      const bool is_same =
          node.shares_gradient || (node.is_view && !node.is_tap);
      if (is_same || (node.in_place && !node.is_join && !read_only[i + 1])) {
        plan.gradients[from] = plan.gradients[i + 1];
      } else {
        take(from);
      }
      read_only[from] = node.shares_gradient || (is_same && read_only[i + 1]);
    }
  }
}

template <class Nodes>
struct Planned;
template <class... Nodes>
struct Planned<std::tuple<Nodes...>> {
  static constexpr MemoryPlan<sizeof...(Nodes)> kPlan = [] {
    const std::array<NodeFacts, sizeof...(Nodes)> nodes{FactsOf<Nodes>()...};
    MemoryPlan<sizeof...(Nodes)> plan;
    PlanValues(nodes, plan);
    PlanGradients(nodes, plan);
    return plan;
  }();
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_MEMORY_PLAN_H_
