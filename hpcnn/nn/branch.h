// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Networks that branch. Where a layer stands in a network's list, there may be
//   Residual<Conv2d<8, 3, 3, Stride<1>, Padding<1>>, Relu>   x + f(x)
//   SumOf<Chain<Conv2d<8, 1, 1>>, Chain<...>>                f(x) + g(x) + ...
//   Concat<MaxPool<2>, Chain<...>>    the outputs one after another: channels of
//                                     images, elements of vectors
// Each branch reads the same input. One is a layer, or a Chain of none or more,
// which may branch again; Chain<> hands its input on. Sources: He et al., CVPR
// 2016; Szegedy et al., CVPR 2015.

#ifndef HPCNN_NN_BRANCH_H_
#define HPCNN_NN_BRANCH_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include "hpcnn/nn/layer.h"
#include "hpcnn/ops/elementwise.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

// A list of descriptions.
template <class...>
struct TypeList;

// What inference has in place of a layer: its L::Inference or itself.
template <class L>
consteval auto InferenceLayer() {
  if constexpr (requires { typename L::Inference; }) {
    return std::type_identity<typename L::Inference>();
  } else {
    return std::type_identity<L>();
  }
}

// In place of a list: that of all layers which are not for training alone.
template <class Kept, class List>
struct InferenceList {
  using Type = Kept;
};
template <class... Kept, class L, class... Rest>
struct InferenceList<TypeList<Kept...>, TypeList<L, Rest...>>
    : InferenceList<
          std::conditional_t<
              TrainingOnly<L>(), TypeList<Kept...>,
              TypeList<Kept..., typename decltype(InferenceLayer<L>())::type>>,
          TypeList<Rest...>> {};
template <class... L>
using InferenceOf = typename InferenceList<TypeList<>, TypeList<L...>>::Type;

template <class List>
struct ToChain;

}  // namespace internal

// Layers one after another.
template <LayerDescription... L>
struct Chain {
  static constexpr const char* kName = "Chain";
  using Layers = internal::TypeList<L...>;
  using Inference =
      typename internal::ToChain<internal::InferenceOf<L...>>::Type;
};

namespace internal {

template <class... L>
struct ToChain<TypeList<L...>> {
  using Type = Chain<L...>;
};

// A branch that inference does not have hands its input on.
template <class Branch>
using BranchInference =
    std::conditional_t<TrainingOnly<Branch>(), Chain<>,
                       typename decltype(InferenceLayer<Branch>())::type>;

// y = the sum of all x.
template <class First, class... Rest>
struct SumJoin : ParameterFree<First, First> {
  static constexpr std::size_t kBranches = 1 + sizeof...(Rest);
  static constexpr std::size_t kForwardFlops = (kBranches - 1) * First::kVolume;
  // Forward may add to the last x; each d_x is d_y.
  static constexpr bool kInPlace = true;
  static constexpr bool kKeepsOutput = false;
  static constexpr bool kSharesGradient = true;

  template <ExecutionPolicy P, class T>
  static void Forward(const std::array<MatrixView<const T>, kBranches>& x,
                      MatrixView<T> y) {
    const auto all = [&](auto view) {
      return std::span(view.data(), view.rows() * view.cols());
    };
    std::span<const T> sum = all(x[kBranches - 1]);
    for (std::size_t b = 0; b + 1 < kBranches; ++b) {
      Add<P>(all(x[b]), sum, all(y));
      sum = all(y);
    }
    if (kBranches == 1) std::copy_n(sum.data(), sum.size(), y.data());
  }
};

// y = [x0 | x1 | ...], sample by sample.
template <class First, class... Rest>
struct ConcatJoin;
template <std::size_t C, std::size_t... Dims, class... Rest>
struct ConcatJoin<Shape<C, Dims...>, Rest...>
    : ParameterFree<Shape<C, Dims...>,
                    Shape<(C + ... + Rest::kDims[0]), Dims...>> {
  static constexpr std::size_t kBranches = 1 + sizeof...(Rest);
  static constexpr std::size_t kForwardFlops = 0;
  static constexpr bool kInPlace = false;
  static constexpr bool kKeepsOutput = false;
  static constexpr bool kSharesGradient = false;

  template <ExecutionPolicy P, class T>
  static void Forward(const std::array<MatrixView<const T>, kBranches>& x,
                      MatrixView<T> y) {
    for (std::size_t n = 0; n < y.rows(); ++n) {
      T* to = y.row(n);
      for (const MatrixView<const T>& from : x) {
        to = std::copy_n(from.row(n), from.cols(), to);
      }
    }
  }

  // d_x without memory is not asked for.
  template <ExecutionPolicy P, class T>
  static void BackwardInput(MatrixView<const T> d_y,
                            const std::array<MatrixView<T>, kBranches>& d_x) {
    for (std::size_t n = 0; n < d_y.rows(); ++n) {
      const T* from = d_y.row(n);
      for (const MatrixView<T>& to : d_x) {
        if (to.data() != nullptr) std::copy_n(from, to.cols(), to.row(n));
        from += to.cols();
      }
    }
  }
};

template <class Got>
struct WithoutChannels;
template <std::size_t C, std::size_t... Dims>
struct WithoutChannels<Produces<Shape<C, Dims...>>> {
  using Type = std::index_sequence<Dims...>;
};
template <class Got>
using AllButChannels = typename WithoutChannels<Got>::Type;

}  // namespace internal

// The words of static_asserts, with what each branch makes.
template <class Where, class Got, class... Others>
inline constexpr bool kBranchesAgree = (std::is_same_v<Got, Others> && ...);

template <class Where, class Got, class... Others>
inline constexpr bool kBranchesFit =
    (std::is_same_v<internal::AllButChannels<Got>,
                    internal::AllButChannels<Others>> &&
     ...);

template <LayerDescription... B>
struct SumOf {
  static_assert(sizeof...(B) > 0, "hpcnn: SumOf needs a branch");
  static constexpr const char* kName = "SumOf";
  using Branches = internal::TypeList<B...>;
  using Inference = SumOf<internal::BranchInference<B>...>;

  template <class... Shapes>
  using Join = internal::SumJoin<Shapes...>;

  template <class Where, class... Shapes>
  struct Check {
    static_assert(kBranchesAgree<Where, Produces<Shapes>...>,
                  "hpcnn: branches that are added must end in one shape; a "
                  "shortcut past a change of shape needs a Conv2d<C, 1, 1> or "
                  "Dense of its own: SumOf<Chain<...>, Conv2d<C, 1, 1>>");
  };
};

// x + f(x), f being all layers one after another.
template <LayerDescription... L>
struct Residual : SumOf<Chain<>, Chain<L...>> {
  static constexpr const char* kName = "Residual";
};

template <LayerDescription... B>
struct Concat {
  static_assert(sizeof...(B) > 0, "hpcnn: Concat needs a branch");
  static constexpr const char* kName = "Concat";
  using Branches = internal::TypeList<B...>;
  using Inference = Concat<internal::BranchInference<B>...>;

  template <class... Shapes>
  using Join = internal::ConcatJoin<Shapes...>;

  template <class Where, class... Shapes>
  struct Check {
    static_assert(kBranchesFit<Where, Produces<Shapes>...>,
                  "hpcnn: branches that are joined may differ in their first "
                  "dimension alone, the channels");
  };
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_BRANCH_H_
