// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// A network with branches and several inputs. Three branches read a digit: one
// its upper half, one its lower half, both by the same weights, and one all of
// it by convolution. A shortcut leads past one of the layers that follow.
//
//   bazel run //examples:branches

#include <cstddef>
#include <cstdio>

#include "hpcnn/hpcnn.h"

using Image = hpcnn::Shape<1, 28, 28>;
constexpr std::size_t kHalf = Image::kVolume / 2;

// The layer that both halves share; its tag is any type.
using Reader = hpcnn::Shared<struct ReaderTag, hpcnn::Dense<48>>;

template <std::size_t First>
using HalfBranch =
    hpcnn::Chain<hpcnn::Slice<First, kHalf>, Reader, hpcnn::Relu>;
using WholeBranch = hpcnn::Chain<hpcnn::Conv2d<4, 5, 5>, hpcnn::Relu,
                                 hpcnn::MaxPool<2>, hpcnn::Flatten>;
using Shortcut = hpcnn::Residual<hpcnn::Dense<64>, hpcnn::Relu>;  // x + f(x)

using Net = hpcnn::Sequential<
    hpcnn::Input<1, 28, 28>,
    hpcnn::Concat<HalfBranch<0>, HalfBranch<kHalf>, WholeBranch>,
    hpcnn::Dense<64>, hpcnn::Relu, Shortcut, hpcnn::Dense<10>>;

int main() {
  const auto train = hpcnn::MakeSyntheticDigits(6'000, /*seed=*/1);
  const auto test = hpcnn::MakeSyntheticDigits(1'000, /*seed=*/3);
  std::fputs(hpcnn::Summary<Net>().c_str(), stdout);

  // From here on as with any other network.
  hpcnn::ThreadPool pool(hpcnn::UsableCpus().count);
  hpcnn::Trainer<Net, hpcnn::SoftmaxCrossEntropy, hpcnn::Momentum> trainer(
      pool, /*batch=*/64, hpcnn::Momentum{}, /*seed=*/1);
  hpcnn::BatchLoader loader(train, hpcnn::ShuffledSampler(train.size(), 1),
                            hpcnn::Normalise<Image>(), {.epochs = 3}, &pool);
  hpcnn::Fit(trainer, loader, test, {.rate = 0.05f});
  std::printf("test accuracy: %.1f %%\n", 100 * hpcnn::Evaluate(trainer, test));
}
