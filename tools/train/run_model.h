// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// From the name of a network to its training. Each group of networks is
// compiled in a file of its own, run_*.cc.

#ifndef HPCNN_TOOLS_TRAIN_RUN_MODEL_H_
#define HPCNN_TOOLS_TRAIN_RUN_MODEL_H_

#include <cstddef>
#include <stop_token>
#include <string_view>

#include "hpcnn/data/mnist.h"
#include "hpcnn/data/split.h"
#include "tools/train/options.h"
#include "tools/train/phase.h"

namespace hpcnn::train {

struct Job {
  const Options& options;
  const Split<MnistImages>& split;
  std::stop_token stop;
  PhaseObserver& observer;
};

std::size_t ParameterCount(std::string_view model);

// All phases that job.options ask for, until a stop or a failure.
void RunModel(const Job& job);

// The same for one network; defined in run.h.
template <class Net>
void RunNetwork(const Job& job);

}  // namespace hpcnn::train

#endif  // HPCNN_TOOLS_TRAIN_RUN_MODEL_H_
