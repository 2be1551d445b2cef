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

}  // namespace
}  // namespace hpcnn
