// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Learning rates over a run: types that are called with the fraction of the run
// that is over, in [0, 1), and give a factor for the base rate. One with
// OnEpoch(record) is told each epoch's EpochRecord (train/fit.h).

#ifndef HPCNN_OPTIM_SCHEDULE_H_
#define HPCNN_OPTIM_SCHEDULE_H_

#include <cmath>
#include <cstdint>
#include <limits>
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

// The run in `stages` equal stages, each at `factor` times the rate of the one
// before.
struct StepSchedule {
  std::uint32_t stages = 3;
  float factor = 0.1f;

  float operator()(double done) const {
    // A quotient may be rounded to just below the next stage.
    const double before = std::floor(done * stages + 1e-9);
    return static_cast<float>(std::pow(double{factor}, before));
  }
};

// From `first` up to 1 while less than `rise` of the run is over, then down to
// `last`: "1cycle" (Smith & Topin, arXiv:1708.07120), with PyTorch's defaults
// and halves of cosines.
struct OneCycleSchedule {
  double rise = 0.3;
  double first = 1.0 / 25;
  double last = 1.0 / 25e4;

  float operator()(double done) const {
    const bool rising = done < rise;
    const double end = rising ? first : last;
    const double from_peak =
        rising ? 1 - done / rise : (done - rise) / (1 - rise);
    return static_cast<float>(end +
                              (1 - end) * double{CosineSchedule{}(from_peak)});
  }
};

// Times `factor` whenever the validation accuracy has not risen above its best
// for more than `patience` epochs: PyTorch's ReduceLROnPlateau without its
// threshold. Needs validation data.
struct PlateauSchedule {
  float factor = 0.1f;
  std::uint32_t patience = 10;

  // So far.
  float rate = 1;
  double best = -std::numeric_limits<double>::infinity();
  std::uint32_t waited = 0;

  float operator()(double) const { return rate; }

  template <class Record>
  void OnEpoch(const Record& record) {
    if (record.validation_accuracy > best) {
      best = record.validation_accuracy;
      waited = 0;
    } else if (++waited > patience) {
      rate *= factor;
      waited = 0;
    }
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_OPTIM_SCHEDULE_H_
