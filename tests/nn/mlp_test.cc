// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/nn/mlp.h"

#include <span>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/sequential.h"

namespace hpcnn {
namespace {

static_assert(
    std::is_same_v<Mlp<784, 30, 10>,
                   Sequential<Input<784>, Dense<30>, Sigmoid, Dense<10>>>);
static_assert(std::is_same_v<
              MlpOf<Relu, 4, 3, 2, 1>,
              Sequential<Input<4>, Dense<3>, Relu, Dense<2>, Relu, Dense<1>>>);
static_assert(std::is_same_v<Mlp<5, 2>, Sequential<Input<5>, Dense<2>>>);
static_assert(Mlp<784, 30, 10>::kParameterCount ==
              784 * 30 + 30 + 30 * 10 + 10);

TEST(MlpTest, CanBeInitialised) {
  using Net = Mlp<2, 3, 1>;
  std::vector<float> params(Net::kParameterCount, -9);
  Net::Initialise(1, std::span<float>(params));
  for (const float p : params) EXPECT_GT(p, -2);
}

}  // namespace
}  // namespace hpcnn
