// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The loss of a network with several outputs, which Concat joins: each head has
// a loss of its own, and their weighted sum is trained (Caruana, Machine
// Learning 28, 1997).
//
//   using Net = Sequential<Input<784>, Dense<64>, Relu,
//                          Concat<Dense<10>, Chain<Dense<8>, Relu, Dense<2>>>>;
//   using Loss = JointLoss<Head<10, SoftmaxCrossEntropy>,
//                          Head<2, MeanSquaredError, Percent<50>>>;
//   trainer.Step(x, {labels, positions}, rate);
//
// Several inputs are Slices of one (nn/slice.h).

#ifndef HPCNN_LOSS_JOINT_LOSS_H_
#define HPCNN_LOSS_JOINT_LOSS_H_

#include <algorithm>
#include <cstddef>
#include <ratio>
#include <span>
#include <tuple>

#include "hpcnn/base/check.h"
#include "hpcnn/base/for_each_index.h"
#include "hpcnn/base/percent.h"
#include "hpcnn/loss/loss.h"
#include "hpcnn/nn/layer.h"

HPCNN_NAMESPACE_BEGIN

// So many outputs, their loss, and what it counts, as a std::ratio.
template <std::size_t Outputs, Loss L, class Weight = std::ratio<1>>
struct Head {
  using LossFunction = L;
  using LossWeight = Weight;
  static constexpr std::size_t kOutputs = Outputs;
};

template <class... Heads>
struct JointLoss {
  static constexpr const char* kName = "JointLoss";
  static constexpr std::size_t kOutputs = (0 + ... + Heads::kOutputs);
  using Expects = Elements<kOutputs>;

  // One for each head.
  template <class T>
  using Targets =
      std::tuple<typename Heads::LossFunction::template Targets<T>...>;

  template <ExecutionPolicy P, class T>
  static void Evaluate(MatrixView<const T> x, const Targets<T>& targets,
                       std::size_t first, T scale, MatrixView<T> d_x,
                       std::span<T> losses) {
    HPCNN_CHECK(x.cols() == kOutputs, "heads need all outputs, and no more");
    std::fill_n(losses.begin(), x.rows(), T{0});
    std::size_t begin = 0;
    ForEachIndex<sizeof...(Heads)>([&]<std::size_t H>() {
      using Head = std::tuple_element_t<H, std::tuple<Heads...>>;
      constexpr T kWeight = kNumber<typename Head::LossWeight, T>;
      for (std::size_t n = 0; n < x.rows(); ++n) {
        T loss{0};
        Head::LossFunction::template Evaluate<P>(
            x.Region(n, begin, 1, Head::kOutputs), std::get<H>(targets),
            first + n, kWeight * scale, d_x.Region(n, begin, 1, Head::kOutputs),
            std::span<T>(&loss, 1));
        losses[n] += kWeight * loss;
      }
      begin += Head::kOutputs;
    });
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_LOSS_JOINT_LOSS_H_
