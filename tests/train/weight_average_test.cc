// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/train/weight_average.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/thread_pool.h"
#include "hpcnn/loss/mean_squared_error.h"
#include "hpcnn/nn/mlp.h"
#include "hpcnn/optim/adam.h"
#include "hpcnn/train/predictor.h"
#include "hpcnn/train/trainer.h"
#include "tests/testing/allocation_count.h"

namespace hpcnn {
namespace {

using Net = Mlp<3, 17, 2>;

const std::vector<float> kInputs{0, 0.5f, 1, 1, -1, 0.25f};
const std::vector<float> kTargets{0, 1, 0.75f, 0.5f};
const MatrixView<const float> kX(kInputs.data(), 2, 3);
const MatrixView<const float> kY(kTargets.data(), 2, 2);

template <class P>
class WeightAverageTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(WeightAverageTest, Policies);

TYPED_TEST(WeightAverageTest, FollowsTheWeights) {
  std::vector<float> first;
  for (const std::size_t threads : {1u, 2u, 3u}) {
    ThreadPool pool(threads);
    Trainer<Net, MeanSquaredError, Adam, TypeParam> trainer(pool, 2, Adam{}, 1);
    WeightAverage average(trainer, 0.75f);
    std::vector<double> expected(trainer.parameters().begin(),
                                 trainer.parameters().end());
    for (int step = 0; step < 10; ++step) {
      for (std::size_t i = 0; i < Net::kParameterCount; ++i) {
        ASSERT_NEAR(average.parameters()[i], expected[i], 1e-6) << step;
      }
      average.Step(kX, kY, 0.05f);
      const double keep = step == 0 ? 0 : 0.75;
      for (std::size_t i = 0; i < Net::kParameterCount; ++i) {
        expected[i] =
            keep * expected[i] + (1 - keep) * double{trainer.parameters()[i]};
      }
    }
    const auto weights = average.parameters();
    if (first.empty()) first.assign(weights.begin(), weights.end());
    EXPECT_TRUE(std::equal(weights.begin(), weights.end(), first.begin()))
        << threads << " threads";
  }
}

TYPED_TEST(WeightAverageTest, AnswersWithTheAverage) {
  ThreadPool pool(1);
  Trainer<Net, MeanSquaredError, Adam, TypeParam> trainer(pool, 2, Adam{}, 1);
  WeightAverage average(trainer);
  average.Step(kX, kY, 0.05f);
  average.Step(kX, kY, 0.05f);
  Predictor<Net, TypeParam> predictor(average.parameters());
  const auto outputs =
      predictor.Outputs(std::span<const float, 3>(kInputs.data(), 3));
  const float answer = average.Forward(kX)(0, 0);
  EXPECT_EQ(answer, outputs[0]);
  EXPECT_NE(answer, trainer.Forward(kX)(0, 0));
}

TYPED_TEST(WeightAverageTest, StepsDoNotAllocate) {
  ThreadPool pool(2);
  Trainer<Net, MeanSquaredError, Adam, TypeParam> trainer(pool, 2, Adam{}, 1);
  WeightAverage average(trainer);
  const std::size_t before = AllocationCount();
  for (int step = 0; step < 10; ++step) average.Step(kX, kY, 0.05f);
  EXPECT_EQ(AllocationCount(), before);
}

}  // namespace
}  // namespace hpcnn
