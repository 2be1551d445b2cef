// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: the network's Input must have the shape of the images

#include "hpcnn/hpcnn.h"

#ifdef HPCNN_FAIL
using Image = hpcnn::Input<1, 14, 56>;
#else
using Image = hpcnn::Input<1, 28, 28>;
#endif
using Net = hpcnn::Sequential<Image, hpcnn::Flatten, hpcnn::Dense<10>>;

int main() {
  const auto digits = hpcnn::MakeSyntheticDigits(10, 1);
  hpcnn::ThreadPool pool(1);
  hpcnn::Trainer<Net, hpcnn::SoftmaxCrossEntropy, hpcnn::Momentum> trainer(
      pool, 10, hpcnn::Momentum{}, 1);
  return hpcnn::Evaluate(trainer, digits) >= 0 ? 0 : 1;
}
