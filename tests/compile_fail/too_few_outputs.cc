// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: the network must have one output per class; end it with Dense<classes>
// EXPECT: Shape<9>
// EXPECT: Classes<10>

#include "hpcnn/hpcnn.h"

#ifdef HPCNN_FAIL
using Outputs = hpcnn::Dense<9>;
#else
using Outputs = hpcnn::Dense<10>;
#endif
using Net = hpcnn::Sequential<hpcnn::Input<1, 28, 28>, hpcnn::Flatten, Outputs>;

int main() {
  const auto digits = hpcnn::MakeSyntheticDigits(10, 1);
  hpcnn::ThreadPool pool(1);
  hpcnn::Trainer<Net, hpcnn::SoftmaxCrossEntropy, hpcnn::Momentum> trainer(
      pool, 10, hpcnn::Momentum{}, 1);
  return hpcnn::Evaluate(trainer, digits) >= 0 ? 0 : 1;
}
