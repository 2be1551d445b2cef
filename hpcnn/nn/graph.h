// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// From a network's list of descriptions to its nodes, in the order in which they
// run: each layer bound to the shape that arrives, and which values it reads.
// Value 0 is the network's input, value I + 1 what node I makes. A branch begins
// with a Tap and ends at the Join that all its siblings share.

#ifndef HPCNN_NN_GRAPH_H_
#define HPCNN_NN_GRAPH_H_

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>

#include "hpcnn/base/for_each_index.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/target.h"
#include "hpcnn/nn/branch.h"
#include "hpcnn/nn/layer.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// What a branch reads: the value that all its siblings read, with a gradient of
// its own. On the way back the last branch writes the gradient of that value, the
// others add to it.
template <ShapeType S, bool IsLast>
struct Tap : ParameterFree<S, S> {
  using Expects = S;
  static constexpr std::size_t kForwardFlops = 0;
  static constexpr bool kInPlace = true;
  static constexpr bool kIsView = true;
  static constexpr bool kIsTap = true;
  static constexpr bool kIsLast = IsLast;
};

template <class L>
consteval bool IsTap() {
  return requires { L::kIsTap; };
}
template <class L>
consteval bool IsJoin() {
  return requires { L::kSharesGradient; };
}

template <class L, class Description, class Place, std::size_t... From>
struct Node {
  using Layer = L;
  using Where = Place;
  static constexpr const char* kName = Description::kName;
  static constexpr std::array<std::size_t, sizeof...(From)> kFrom{From...};
};

// How many branches a place is inside of, from its path.
template <class Where>
inline constexpr std::size_t kBranchDepth = 0;
template <std::size_t... Path>
inline constexpr std::size_t kBranchDepth<AtLayer<Path...>> = sizeof...(Path) /
                                                              2;

// The path as numbers.
template <class Where>
inline constexpr std::array<std::size_t, 0> kPath{};
template <std::size_t... Path>
inline constexpr std::array<std::size_t, sizeof...(Path)>
    kPath<AtLayer<Path...>>{Path...};

struct TapDescription {
  static constexpr const char* kName = nullptr;
};

// The nodes so far, the value that the next layer reads, and its shape.
template <class Nodes, std::size_t Value, ShapeType S>
struct Walk;
template <class... Nodes, std::size_t Value, ShapeType S>
struct Walk<std::tuple<Nodes...>, Value, S> {
  using All = std::tuple<Nodes...>;
  static constexpr std::size_t kValue = Value;
  using Output = S;

  template <class L, class Description, class Where, std::size_t... From>
  using Then = Walk<std::tuple<Nodes..., Node<L, Description, Where, From...>>,
                    sizeof...(Nodes) + 1, typename L::Output>;
};

// A walk and one description more.
template <class W, class Where, class Description>
struct Append {
  using L = typename Description::template On<typename W::Output>;
  using Type = typename W::template Then<L, Description, Where, W::kValue>;
};

// A walk and all of a list, of which Index are behind.
template <class W, class Where, std::size_t Index, class List>
struct AppendAll {
  using Type = W;
};
template <class W, std::size_t... Path, std::size_t Index, class First,
          class... Rest>
struct AppendAll<W, AtLayer<Path...>, Index, TypeList<First, Rest...>>
    : AppendAll<typename Append<W, AtLayer<Path..., Index>, First>::Type,
                AtLayer<Path...>, Index + 1, TypeList<Rest...>> {};

template <class W, class Where, class Description>
requires requires { typename Description::Layers; }
struct Append<W, Where, Description>
    : AppendAll<W, Where, 0, typename Description::Layers> {};

// Where a branch ended.
template <std::size_t Value, ShapeType S>
struct End {
  static constexpr std::size_t kValue = Value;
  using Output = S;
};

// A walk and all branches of a list, each from Fork on, then their join.
template <class W, class Fork, class Where, std::size_t Index,
          class Description, class Ends, class Branches>
struct AppendBranches;
template <class W, class Fork, std::size_t... Path, std::size_t Index,
          class Description, class... Ends, class First, class... Rest>
struct AppendBranches<W, Fork, AtLayer<Path...>, Index, Description,
                      TypeList<Ends...>, TypeList<First, Rest...>> {
  using Where = AtLayer<Path..., Index>;
  using Begin = typename W::template Then<
      Tap<typename Fork::Output, sizeof...(Rest) == 0>, TapDescription, Where,
      Fork::kValue>;
  using Branch = typename Append<Begin, Where, First>::Type;
  using Type = typename AppendBranches<
      Branch, Fork, AtLayer<Path...>, Index + 1, Description,
      TypeList<Ends..., End<Branch::kValue, typename Branch::Output>>,
      TypeList<Rest...>>::Type;
};
template <class W, class Fork, class Where, std::size_t Index,
          class Description, class... Ends>
struct AppendBranches<W, Fork, Where, Index, Description, TypeList<Ends...>,
                      TypeList<>> {
  static_assert(sizeof(typename Description::template Check<
                       Where, typename Ends::Output...>) > 0);
  using Type = typename W::template Then<
      typename Description::template Join<typename Ends::Output...>,
      Description, Where, Ends::kValue...>;
};

template <class W, class Where, class Description>
requires requires { typename Description::Branches; }
struct Append<W, Where, Description>
    : AppendBranches<W, End<W::kValue, typename W::Output>, Where, 0,
                     Description, TypeList<>, typename Description::Branches> {
};

// Apart from the walk, so that a failed check does not also take away the types
// that everything else is built on: one mistake, one message.
template <class Where, class In, class Layer>
struct CheckLayer {
  static_assert(
      kShapesChain<Where, Produces<In>, Expects<typename Layer::Expects>>,
      "hpcnn: a layer's input must have the shape that the layer before it "
      "produces; put Flatten before a layer that expects FlatShape");
  static_assert(BoundLayer<Layer>,
                "hpcnn: this is not a layer; see hpcnn/nn/layer.h");
  static_assert(
      !(Layer::kInPlace && (ReadsInput<Layer>() || TrainedRows<Layer>() > 0)),
      "hpcnn: a layer that works in place overwrites its input and its "
      "output's gradient: kInPlace excludes kReadsInput and parameters "
      "that are trained");
};

template <class Node, class Layer = typename Node::Layer>
struct CheckNode
    : CheckLayer<typename Node::Where, typename Layer::Input, Layer> {};
template <class Node, class Layer>
requires(IsTap<Layer>() || IsJoin<Layer>()) struct CheckNode<Node, Layer> {
};

template <class Nodes>
struct CheckNodes;
template <class... Nodes>
struct CheckNodes<std::tuple<Nodes...>> : CheckNode<Nodes>... {};

// Whether two layers have one tag (shared.h).
template <class Layer, class Other>
consteval bool SharesParameters() {
  if constexpr (requires { typename Other::SharedTag; }) {
    constexpr bool kShares =
        std::is_same_v<typename Layer::SharedTag, typename Other::SharedTag>;
    static_assert(!kShares || std::is_same_v<Layer, Other>,
                  "hpcnn: a Shared layer must be the same and get the same "
                  "input shape in every place of its tag");
    return kShares;
  }
  return false;
}

// The first node that has the parameters of node I, or I itself.
template <class Nodes, std::size_t I>
consteval std::size_t ParameterOwner() {
  using Layer = typename std::tuple_element_t<I, Nodes>::Layer;
  std::size_t owner = I;
  if constexpr (requires { typename Layer::SharedTag; }) {
    ForEachIndexBackwards<I>([&]<std::size_t Before>() {
      using Other = typename std::tuple_element_t<Before, Nodes>::Layer;
      if (SharesParameters<Layer, Other>()) owner = Before;
    });
  }
  return owner;
}

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_GRAPH_H_
