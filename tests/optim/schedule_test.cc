// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/optim/schedule.h"

#include "gtest/gtest.h"

namespace hpcnn {
namespace {

TEST(ScheduleTest, ConstantIsOne) {
  EXPECT_EQ(ConstantSchedule{}(0), 1);
  EXPECT_EQ(ConstantSchedule{}(0.99), 1);
}

TEST(ScheduleTest, CosineFallsFromOneToZero) {
  const CosineSchedule cosine;
  EXPECT_EQ(cosine(0), 1);
  EXPECT_FLOAT_EQ(cosine(1.0 / 3), 0.75f);
  EXPECT_FLOAT_EQ(cosine(0.5), 0.5f);
  EXPECT_FLOAT_EQ(cosine(2.0 / 3), 0.25f);
  EXPECT_NEAR(cosine(1), 0, 1e-7);
}

TEST(ScheduleTest, StepsAreEqualStages) {
  const StepSchedule thirds;
  EXPECT_EQ(thirds(0), 1);
  EXPECT_EQ(thirds(0.333), 1);
  EXPECT_FLOAT_EQ(thirds(1.0 / 3), 0.1f);
  EXPECT_FLOAT_EQ(thirds(0.666), 0.1f);
  EXPECT_FLOAT_EQ(thirds(2.0 / 3), 0.01f);
  EXPECT_FLOAT_EQ(thirds(0.999), 0.01f);
  // 1.0 / 49 * 49 is less than 1.
  EXPECT_EQ((StepSchedule{.stages = 49, .factor = 0.5f}(1.0 / 49)), 0.5f);
}

TEST(ScheduleTest, OneCycleRisesAndFalls) {
  const OneCycleSchedule cycle;
  EXPECT_FLOAT_EQ(cycle(0), 0.04f);
  EXPECT_FLOAT_EQ(cycle(0.15), 0.52f);  // half the way
  EXPECT_FLOAT_EQ(cycle(0.3), 1);
  EXPECT_FLOAT_EQ(cycle(0.65), 0.500002f);
  EXPECT_NEAR(cycle(1), 4e-6, 1e-12);
  EXPECT_EQ(OneCycleSchedule{.rise = 0}(0), 1);
}

TEST(ScheduleTest, PlateauFallsWhenTheAccuracyDoesNotRise) {
  struct Record {
    double validation_accuracy;
  };
  PlateauSchedule plateau{.factor = 0.5f, .patience = 1};
  const auto after = [&](double accuracy) {
    plateau.OnEpoch(Record{accuracy});
    return plateau(0.5);
  };
  EXPECT_EQ(plateau(0), 1);
  EXPECT_EQ(after(0.5), 1);
  EXPECT_EQ(after(0.5), 1);  // one epoch without a rise: patience
  EXPECT_EQ(after(0.6), 1);
  EXPECT_EQ(after(0.6), 1);
  EXPECT_EQ(after(0.55), 0.5f);
  EXPECT_EQ(after(0.6), 0.5f);
  EXPECT_EQ(after(0.6), 0.25f);
  EXPECT_EQ(after(0.7), 0.25f);
}

}  // namespace
}  // namespace hpcnn
