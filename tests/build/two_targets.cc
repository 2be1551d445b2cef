// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Both files of two_targets_test.sh: PART is 0 in the one, 1 in the other.

#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "hpcnn/hpcnn.h"

namespace {

using Net = hpcnn::Sequential<hpcnn::Input<1, 28, 28>, hpcnn::Flatten,
                              hpcnn::Dense<16>, hpcnn::Relu, hpcnn::Dense<10>>;

// A few steps, augmented; the same in both files up to rounding.
std::vector<float> Train() {
  const auto digits = hpcnn::MakeSyntheticDigits(200, /*seed=*/1);
  hpcnn::ThreadPool pool(1);
  hpcnn::Trainer<Net, hpcnn::SoftmaxCrossEntropy, hpcnn::Momentum> trainer(
      pool, /*batch=*/64, hpcnn::Momentum{}, /*seed=*/1);
  hpcnn::BatchLoader loader(
      digits, hpcnn::ShuffledSampler(digits.size(), 1),
      hpcnn::AugmentPipeline<hpcnn::Shape<1, 28, 28>>(/*seed=*/1),
      {.epochs = 1, .workers = 1}, &pool);
  hpcnn::Fit(trainer, loader, digits);
  const auto parameters = trainer.parameters();
  return {parameters.begin(), parameters.end()};
}

}  // namespace

#if PART == 0
std::vector<float> TrainThere();
long TargetThere();

int main() {
  std::printf("targets %s and %s\n", hwy::TargetName(HWY_STATIC_TARGET),
              hwy::TargetName(TargetThere()));
  if (TargetThere() == HWY_STATIC_TARGET) {
    std::puts("one target for two sets of flags: their symbols collide");
    return 1;
  }
  const std::vector<float> here = Train();
  const std::vector<float> there = TrainThere();
  if (here.size() != Net::kParameterCount || here.size() != there.size()) {
    std::puts("wrong number of parameters");
    return 1;
  }
  for (std::size_t i = 0; i < here.size(); ++i) {
    if (!(std::abs(here[i] - there[i]) <= 1e-4f)) {
      std::printf("parameter %zu: %g and %g\n", i, here[i], there[i]);
      return 1;
    }
  }
}
#else
std::vector<float> TrainThere() { return Train(); }
long TargetThere() { return HWY_STATIC_TARGET; }
#endif
