// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Optimizers against plain loops in double.

#include "hpcnn/optim/optimizer.h"

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/optim/momentum.h"
#include "hpcnn/optim/sgd.h"

namespace hpcnn {
namespace {

static_assert(Optimizer<Sgd> && Optimizer<Momentum>);
static_assert(Sgd::kStates == 0 && Momentum::kStates == 1);

template <class P>
class OptimizerTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(OptimizerTest, Policies);

constexpr std::size_t kSize = 37;
constexpr int kSteps = 10;

double Rate(int step) { return 0.1 / (1 + step); }

// The gradients of ten steps.
std::vector<double> RandomGradient(int step) {
  RandomStream stream({.seed = 1, .epoch = static_cast<std::uint32_t>(step)});
  std::vector<double> g(kSize);
  for (double& v : g) v = stream.Uniform(-1, 1);
  return g;
}

// The parameters after ten steps from 1, split in `parts` as threads would.
template <class P, class O>
std::vector<double> Train(const O& optimizer, std::size_t parts) {
  std::vector<double> params(kSize, 1.0);
  std::vector<double> states(O::kStates * kSize);
  for (int step = 0; step < kSteps; ++step) {
    std::vector<double> gradient = RandomGradient(step);
    for (std::size_t part = 0; part < parts; ++part) {
      const IndexRange range = Partition(kSize, part, parts);
      std::array<double*, O::kStates> state;
      for (std::size_t s = 0; s < O::kStates; ++s) {
        state[s] = states.data() + s * kSize + range.begin;
      }
      optimizer.template Update<P>(
          Rate(step), std::span(params).subspan(range.begin, range.size()),
          std::span(gradient).subspan(range.begin, range.size()), state);
    }
  }
  return params;
}

// Both update rules; momentum 0 is plain gradient descent.
std::vector<double> Reference(double momentum, double weight_decay) {
  std::vector<double> w(kSize, 1.0);
  std::vector<double> v(kSize, 0.0);
  for (int step = 0; step < kSteps; ++step) {
    const std::vector<double> g = RandomGradient(step);
    for (std::size_t i = 0; i < kSize; ++i) {
      v[i] = momentum * v[i] + g[i] + weight_decay * w[i];
      w[i] -= Rate(step) * v[i];
    }
  }
  return w;
}

void ExpectNear(const std::vector<double>& a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < kSize; ++i) ASSERT_NEAR(a[i], b[i], 1e-12);
}

TYPED_TEST(OptimizerTest, SgdEqualsThePlainLoop) {
  for (const float decay : {0.0f, 0.03f}) {
    ExpectNear(Train<TypeParam>(Sgd{.weight_decay = decay}, 1),
               Reference(0, double{decay}));
  }
}

TYPED_TEST(OptimizerTest, MomentumEqualsThePlainLoop) {
  for (const float decay : {0.0f, 0.03f}) {
    ExpectNear(
        Train<TypeParam>(Momentum{.momentum = 0.8f, .weight_decay = decay}, 1),
        Reference(double{0.8f}, double{decay}));
  }
}

TYPED_TEST(OptimizerTest, BitsDoNotDependOnTheSplit) {
  const Sgd sgd{.weight_decay = 0.03f};
  const Momentum momentum{.momentum = 0.9f, .weight_decay = 0.03f};
  for (const std::size_t parts : {2u, 3u, 50u}) {
    EXPECT_EQ(Train<TypeParam>(sgd, parts), Train<TypeParam>(sgd, 1));
    EXPECT_EQ(Train<TypeParam>(momentum, parts), Train<TypeParam>(momentum, 1));
  }
}

}  // namespace
}  // namespace hpcnn
