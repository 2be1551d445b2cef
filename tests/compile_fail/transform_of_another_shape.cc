// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: the loader's transform must take images of the dataset's shape

#include "hpcnn/hpcnn.h"

#ifdef HPCNN_FAIL
using Image = hpcnn::Shape<1, 14, 56>;
#else
using Image = hpcnn::Shape<1, 28, 28>;
#endif

int main() {
  const auto digits = hpcnn::MakeSyntheticDigits(10, 1);
  hpcnn::BatchLoader loader(digits, hpcnn::ShuffledSampler(10, 1),
                            hpcnn::AugmentPipeline<Image>(1), {.epochs = 1});
}
