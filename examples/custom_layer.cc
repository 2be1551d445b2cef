// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Trains a network with a layer, a loss, an optimizer and a dataset of one's
// own (custom_layer.h), by both policies.
//
//   bazel run //examples:custom_layer

#include "examples/custom_layer.h"

#include <algorithm>
#include <cstdio>
#include <span>

#include "hpcnn/hpcnn.h"

namespace {

using Image = examples::Lines::ImageShape;
using Net =
    hpcnn::Sequential<hpcnn::Input<1, 8, 8>, hpcnn::Flatten, hpcnn::Dense<32>,
                      examples::PRelu, hpcnn::Dense<4>>;

template <hpcnn::ExecutionPolicy P>
void Train(hpcnn::ThreadPool& pool) {
  const examples::Lines train(4'000, /*seed=*/1);
  const examples::Lines test(1'000, /*seed=*/2);
  hpcnn::Trainer<Net, examples::Hinge, examples::Lion, P> trainer(
      pool, /*batch=*/64, examples::Lion{}, /*seed=*/1);
  hpcnn::BatchLoader loader(train, hpcnn::ShuffledSampler(train.size(), 1),
                            hpcnn::Normalise<Image>(), {.epochs = 10}, &pool);
  hpcnn::Fit(trainer, loader, test, {.rate = 0.003f});

  const std::span<const float> parameters = trainer.parameters();
  const auto [least, most] =
      std::ranges::minmax(Net::Parameters<2>(parameters));
  std::printf("%s: test accuracy %.1f %%, slopes from 0.25 to %.2f ... %.2f\n",
              P::kName.data(), 100 * hpcnn::Evaluate(trainer, test),
              static_cast<double>(least), static_cast<double>(most));
}

}  // namespace

int main() {
  hpcnn::ThreadPool pool(hpcnn::UsableCpus().count);
  Train<hpcnn::Scalar>(pool);
  Train<hpcnn::Simd>(pool);
}
