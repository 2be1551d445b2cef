// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/nn/summary.h"

#include "gtest/gtest.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/optim/momentum.h"
#include "hpcnn/optim/sgd.h"

namespace hpcnn {
namespace {

using Net = Sequential<Input<1, 28, 28>, Flatten, Dense<128>, Relu, Dense<10>>;

static_assert(kParameterBytes<Net> == 4 * 101770);
static_assert(kParameterBytes<Net, double> == 8 * 101770);
static_assert(kStateBytes<Net, Sgd> == 0);
static_assert(kStateBytes<Net, Momentum> == 4 * 101770);
// Flatten needs no memory, Relu works in that of Dense.
static_assert(ForwardBytes<Net>(64) == 64 * (128 + 10) * 4);
static_assert(TrainingBytes<Net, double>(64) == 2 * 64 * (128 + 10) * 8);

TEST(SummaryTest, IsATable) {
  EXPECT_EQ(Summary<Net>(),
            "Layer        Output               Parameters          FLOPs\n"
            "Input        [1, 28, 28]                                   \n"
            "Flatten      [784]                         0              0\n"
            "Dense        [128]                    100480         200704\n"
            "Relu         [128]                         0            128\n"
            "Dense        [10]                       1290           2560\n"
            "Total                                 101770         203392\n"
            "Bytes: parameters 407080, a sample forward 552, in training "
            "1104\n");
}

}  // namespace
}  // namespace hpcnn
