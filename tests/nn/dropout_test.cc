// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/nn/dropout.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/percent.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/nn/workspace.h"

namespace hpcnn {
namespace {

template <class P>
class DropoutTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(DropoutTest, Policies);

// The way back drops what the way forward dropped, in place.
TYPED_TEST(DropoutTest, BackwardDropsTheSame) {
  using Layer = Dropout<Percent<50>>::On<Shape<3, 4>>;
  std::array<float, 24> y, d_x;
  y.fill(3);
  d_x.fill(-5);
  const MatrixView<float> out(y.data(), 2, 12), gradient(d_x.data(), 2, 12);
  const RandomPlace place{.seed = 1, .epoch = 2, .sample = 3, .part = 4};
  Layer::Forward<TypeParam>(ForwardPass<float>{{}, out, out, {}, place});
  Layer::BackwardInput<TypeParam>(
      BackwardPass<float>{{}, out, out, gradient, gradient, {}, place});
  for (std::size_t i = 0; i < y.size(); ++i) {
    EXPECT_TRUE(y[i] == 0 || y[i] == 6);
    EXPECT_EQ(d_x[i], y[i] == 0 ? 0 : -10);
  }
}

using Net = Sequential<Input<40>, Dropout<Percent<50>>, Dropout<Percent<50>>>;
constexpr std::size_t kSamples = 7;

// What training makes of ones: [kSamples, 40], in `parts` parts.
template <class P>
std::vector<float> Walk(std::uint64_t seed, std::uint32_t step,
                        std::size_t parts) {
  const std::vector<float> x(kSamples * 40, 1);
  std::vector<float> memory(Workspace<Net, float>::TrainingElements(kSamples));
  Workspace<Net, float> workspace(memory, kSamples);
  workspace.At(seed, step);
  for (std::size_t part = 0; part < parts; ++part) {
    workspace.template Forward<P>(
        {}, MatrixView<const float>(x.data(), kSamples, 40),
        Partition(kSamples, part, parts));
  }
  const auto out = workspace.Logits({0, kSamples});
  return {out.data(), out.data() + kSamples * 40};
}

TYPED_TEST(DropoutTest, DependsOnSeedStepLayerAndSampleAlone) {
  const std::vector<float> whole = Walk<TypeParam>(1, 2, 1);
  for (const std::size_t parts : {2u, 3u, 7u}) {
    EXPECT_EQ(Walk<TypeParam>(1, 2, parts), whole) << parts;
  }
  EXPECT_NE(Walk<TypeParam>(2, 2, 1), whole);
  EXPECT_NE(Walk<TypeParam>(1, 3, 1), whole);
  EXPECT_FALSE(
      std::equal(whole.begin(), whole.begin() + 40, whole.begin() + 40));
  // Two layers of a half leave a quarter: their numbers are not the same.
  EXPECT_NEAR(static_cast<double>(std::count(whole.begin(), whole.end(), 4.0f)),
              kSamples * 10, 30);
}

}  // namespace
}  // namespace hpcnn
