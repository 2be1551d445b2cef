// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Mlp<784, 30, 10>: the course's multi-layer perceptron, dense layers with a
// sigmoid between them; MlpOf<Relu, 784, 128, 10> chooses the activation. Both
// are aliases of Sequential and end in logits.

#ifndef HPCNN_NN_MLP_H_
#define HPCNN_NN_MLP_H_

#include <cstddef>

#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/sequential.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

template <class Activation, class Net, std::size_t... Sizes>
struct MlpBuilder;
template <class Activation, class... L, std::size_t Last>
struct MlpBuilder<Activation, Sequential<L...>, Last> {
  using Type = Sequential<L..., Dense<Last>>;
};
template <class Activation, class... L, std::size_t Next, std::size_t... Rest>
struct MlpBuilder<Activation, Sequential<L...>, Next, Rest...> {
  using Type =
      typename MlpBuilder<Activation, Sequential<L..., Dense<Next>, Activation>,
                          Rest...>::Type;
};

}  // namespace internal

template <class Activation, std::size_t Inputs, std::size_t... Sizes>
using MlpOf =
    typename internal::MlpBuilder<Activation, Sequential<Input<Inputs>>,
                                  Sizes...>::Type;

template <std::size_t Inputs, std::size_t... Sizes>
using Mlp = MlpOf<Sigmoid, Inputs, Sizes...>;

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_MLP_H_
