// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// A small network for digits as a list of layers, and what Keras calls compile,
// fit, evaluate and predict.
//
//   bazel run //examples:sequential

#include <array>
#include <cstddef>
#include <cstdio>

#include "hpcnn/hpcnn.h"

using Image = hpcnn::Shape<1, 28, 28>;  // channels, rows, columns
using Net = hpcnn::Sequential<hpcnn::Input<1, 28, 28>, hpcnn::Flatten,
                              hpcnn::Dense<128>, hpcnn::Relu, hpcnn::Dense<10>>;

int main() {
  const auto train = hpcnn::MakeSyntheticDigits(6'000, /*seed=*/1);
  const auto validation = hpcnn::MakeSyntheticDigits(1'000, /*seed=*/2);
  const auto test = hpcnn::MakeSyntheticDigits(1'000, /*seed=*/3);
  std::fputs(hpcnn::Summary<Net>().c_str(), stdout);

  // Compile: loss and optimizer are types; the seed chooses the weights.
  hpcnn::ThreadPool pool(hpcnn::UsableCpus().count);
  hpcnn::Trainer<Net, hpcnn::SoftmaxCrossEntropy, hpcnn::Momentum> trainer(
      pool, /*batch=*/64, hpcnn::Momentum{}, /*seed=*/1);

  // Fit: the loader says which images come, how often and how changed.
  hpcnn::BatchLoader loader(train, hpcnn::ShuffledSampler(train.size(), 1),
                            hpcnn::Normalise<Image>(), {.epochs = 3}, &pool);
  const hpcnn::History history = hpcnn::Fit(trainer, loader, validation);
  for (const hpcnn::EpochRecord& epoch : history.epochs) {
    std::printf("epoch %u: loss %.4f, accuracy %.1f %%\n", epoch.epoch + 1,
                epoch.loss, 100 * epoch.validation_accuracy);
  }

  // Evaluate.
  std::printf("test accuracy: %.1f %%\n", 100 * hpcnn::Evaluate(trainer, test));

  // Predict: one sample at a time, without heap and threads.
  hpcnn::Predictor<Net> predictor(trainer.parameters());
  std::array<float, Image::kVolume> sample;
  for (std::size_t i = 0; i < 5; ++i) {
    hpcnn::Normalise<Image>()(0, 0, test.image(i),
                              hpcnn::TensorView<float, 1, 28, 28>(sample));
    std::printf("a %d looks like a %zu\n", test.label(i),
                predictor.Predict(sample));
  }
}
