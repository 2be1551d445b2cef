// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What a loss is.
//
// A loss is a type with static functions. It compares outputs with targets, a
// row a sample, and rows are independent of each other:
//   L::kName                         for messages and tests
//   L::Targets<T>                    a whole batch's targets, cheap to copy
//   L::Evaluate<P, T>(x, targets, first, scale, d_x, losses)
//       x [n, classes]: outputs of samples first ... first + n - 1 of the batch
//       losses [n]: each sample's loss (not scaled)
//       d_x [n, classes]: scale * (d loss / d x); x and d_x must not overlap
// A step passes scale = 1 / batch, so that the gradient is that of the mean.
// If it does not take outputs of any shape, it says so as layers do (nn/layer.h):
//   L::Expects                       a Shape, FlatShape or Elements<N>

#ifndef HPCNN_LOSS_LOSS_H_
#define HPCNN_LOSS_LOSS_H_

#include <concepts>
#include <cstddef>
#include <span>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"

HPCNN_NAMESPACE_BEGIN

// Satisfied by SoftmaxCrossEntropy, BinaryCrossEntropy, MeanSquaredError and
// MeanAbsoluteError.
template <class L>
concept Loss = requires(MatrixView<const float> x,
                        typename L::template Targets<float> targets,
                        MatrixView<float> d_x, std::span<float> losses) {
  { L::kName } -> std::convertible_to<const char*>;
  L::template Evaluate<Scalar>(x, targets, std::size_t{}, 1.0f, d_x, losses);
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_LOSS_LOSS_H_
