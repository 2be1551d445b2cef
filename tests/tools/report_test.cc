// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/train/report.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "hpcnn/train/fit.h"
#include "tests/testing/allocation_count.h"

namespace hpcnn::train {
namespace {

// The lines of an epoch and the file of metrics: they are part of the loop.
TEST(ReportTest, EpochsDoNotAllocate) {
  const std::string path =
      (std::filesystem::path(testing::TempDir()) / "metrics.jsonl").string();
  Report report;
  ASSERT_TRUE(report.Open(path).ok());
  report.Begin({.augmented = true, .workers = 2, .threads = 1, .epochs = 40});
  std::size_t at_first = 0;
  EpochRecord epoch{};
  for (std::uint32_t e = 0; e < 40; ++e) {
    epoch.epoch = e;
    epoch.images = 64 * 20;
    epoch.loss = 0.5;
    epoch.seconds = 0.25 * e + 1e-3;
    epoch.validation_accuracy = 1.0 / (e + 1);
    for (std::size_t step = 1; step <= 20; ++step) {
      report.OnStep(epoch, step, 20);
    }
    report.OnEpoch(epoch);
    // Streams take their buffers when they are first written to.
    if (e == 0) at_first = AllocationCount();
  }
  EXPECT_GT(at_first, 0u) << "the counter does not count";
  EXPECT_EQ(AllocationCount() - at_first, 0u);
  EXPECT_TRUE(report.Close().ok());
  EXPECT_GT(std::filesystem::file_size(path), 40u * 20);
}

}  // namespace
}  // namespace hpcnn::train
