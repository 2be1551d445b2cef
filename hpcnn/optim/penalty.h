// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// L1 and L2 regularisation: the gradient of l1 * |w| + l2 / 2 * w^2, added to
// that of the loss. Biases are drawn to 0 like weights; at 0 L1 does not draw.

#ifndef HPCNN_OPTIM_PENALTY_H_
#define HPCNN_OPTIM_PENALTY_H_

#include <span>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/ops/elementwise.h"
#include "hpcnn/ops/update.h"

HPCNN_NAMESPACE_BEGIN

template <ExecutionPolicy P, class T>
void AddPenalty(float l1, float l2, std::span<T> params,
                std::span<T> gradient) {
  if (l1 == 0 && l2 == 0) return;
  Elementwise<P>(PenaltyFunction<T>{T{l1}, T{l2}}, gradient, gradient, params);
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_OPTIM_PENALTY_H_
