// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Learning rates over a run: types that are called with the fraction of the run
// that is over, in [0, 1), and give a factor for the base rate.

#ifndef HPCNN_OPTIM_SCHEDULE_H_
#define HPCNN_OPTIM_SCHEDULE_H_

#include <cmath>
#include <numbers>

#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

struct ConstantSchedule {
  float operator()(double) const { return 1; }
};

// From 1 down to 0 along half a cosine (Loshchilov & Hutter, ICLR 2017).
struct CosineSchedule {
  float operator()(double done) const {
    return static_cast<float>(0.5 * (1 + std::cos(std::numbers::pi * done)));
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_OPTIM_SCHEDULE_H_
