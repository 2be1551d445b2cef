// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What a network costs: bytes as constants, for static_assert and for arenas,
// and a table for people.
//
//   static_assert(kParameterBytes<Net> + kStateBytes<Net, Momentum> < 1 << 20);
//   std::puts(Summary<Net>().c_str());

#ifndef HPCNN_NN_SUMMARY_H_
#define HPCNN_NN_SUMMARY_H_

#include <cstddef>
#include <cstdio>
#include <string>

#include "hpcnn/base/for_each_index.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/target.h"
#include "hpcnn/nn/graph.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/nn/workspace.h"

HPCNN_NAMESPACE_BEGIN

template <class Net, class T = float>
inline constexpr std::size_t kParameterBytes = Net::kParameterCount * sizeof(T);

// What an optimizer keeps beside the parameters.
template <class Net, class Optimizer, class T = float>
inline constexpr std::size_t kStateBytes =
    Optimizer::kStates* kParameterBytes<Net, T>;

// The Workspace of a batch: forward alone, and with the way back.
template <class Net, class T = float>
constexpr std::size_t ForwardBytes(std::size_t batch) {
  return Workspace<Net, T>::ForwardElements(batch) * sizeof(T);
}
template <class Net, class T = float>
constexpr std::size_t TrainingBytes(std::size_t batch) {
  return Workspace<Net, T>::TrainingElements(batch) * sizeof(T);
}

namespace internal {

template <ShapeType S>
std::string ShapeText() {
  std::string text;
  for (const std::size_t dim : S::kDims) {
    text += text.empty() ? "[" : ", ";
    text += std::to_string(dim);
  }
  text += ']';
  return text;
}

inline std::string SummaryRow(const std::string& layer,
                              const std::string& shape,
                              const std::string& parameters,
                              const std::string& flops) {
  char row[128];
  std::snprintf(row, sizeof(row), "%-12s %-18s %12s %14s\n", layer.c_str(),
                shape.c_str(), parameters.c_str(), flops.c_str());
  return row;
}

}  // namespace internal

// A row a layer, and the totals. FLOPs are those of one sample, forward.
template <class Net, class T = float>
std::string Summary() {
  std::string text =
      internal::SummaryRow("Layer", "Output", "Parameters", "FLOPs");
  text += internal::SummaryRow(
      "Input", internal::ShapeText<typename Net::InputShape>(), "", "");
  ForEachIndex<Net::kLayers>([&]<std::size_t I>() {
    using L = typename Net::template LayerAt<I>;
    if constexpr (!internal::IsTap<L>()) {
      using Node = typename Net::template NodeAt<I>;
      const bool owns = Net::kOwners[I] == I;
      text += internal::SummaryRow(
          std::string(2 * internal::kBranchDepth<typename Node::Where>, ' ') +
              Node::kName,
          internal::ShapeText<typename L::Output>(),
          owns ? std::to_string(Net::template kParameters<I>) : "shared",
          std::to_string(L::kForwardFlops));
    }
  });
  text +=
      internal::SummaryRow("Total", "", std::to_string(Net::kParameterCount),
                           std::to_string(Net::kForwardFlops));
  return text + "Bytes: parameters " + std::to_string(kParameterBytes<Net, T>) +
         ", a sample forward " + std::to_string(ForwardBytes<Net, T>(1)) +
         ", in training " + std::to_string(TrainingBytes<Net, T>(1)) + "\n";
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_SUMMARY_H_
