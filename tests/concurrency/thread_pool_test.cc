// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/concurrency/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/testing/allocation_count.h"

namespace hpcnn {
namespace {

class ThreadPoolTest : public testing::TestWithParam<std::size_t> {};

// 8 threads are more than most machines that run this have: they do not spin.
INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, testing::Values(1, 2, 3, 8));

TEST_P(ThreadPoolTest, RunsEachPartOnce) {
  ThreadPool pool(GetParam());
  EXPECT_EQ(pool.threads(), GetParam());
  // Plain ints: the sanitizer sees it if two threads run the same part, or if
  // Run returns too early.
  std::vector<int> runs(GetParam(), 0);
  for (int repeat = 1; repeat <= 1000; ++repeat) {
    pool.Run([&](std::size_t part, std::size_t parts) {
      ASSERT_EQ(parts, GetParam());
      ++runs[part];
    });
    for (const int count : runs) ASSERT_EQ(count, repeat);
  }
}

TEST_P(ThreadPoolTest, PartZeroRunsOnTheCaller) {
  ThreadPool pool(GetParam());
  std::thread::id part_zero;
  pool.Run([&](std::size_t part, std::size_t) {
    if (part == 0) part_zero = std::this_thread::get_id();
  });
  EXPECT_EQ(part_zero, std::this_thread::get_id());
}

TEST_P(ThreadPoolTest, AllThreadsTakePart) {
  ThreadPool pool(GetParam());
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::atomic<std::size_t> arrived{0};
    pool.Run([&](std::size_t, std::size_t parts) {
      if (arrived.fetch_add(1) + 1 == parts) arrived.notify_all();
      for (std::size_t n = arrived; n != parts; n = arrived) arrived.wait(n);
    });
    EXPECT_EQ(arrived, GetParam());
  }
}

TEST_P(ThreadPoolTest, ThrowsWhatAPartThrewAndGoesOn) {
  ThreadPool pool(GetParam());
  for (int repeat = 0; repeat < 50; ++repeat) {
    for (std::size_t thrower = 0; thrower < GetParam(); ++thrower) {
      try {
        pool.Run([&](std::size_t part, std::size_t) {
          if (part == thrower) throw std::runtime_error(std::to_string(part));
        });
        FAIL() << "no exception from part " << thrower;
      } catch (const std::runtime_error& error) {
        EXPECT_EQ(error.what(), std::to_string(thrower));
      }
      std::atomic<std::size_t> runs{0};
      pool.Run([&](std::size_t, std::size_t) { ++runs; });
      EXPECT_EQ(runs, GetParam());
    }
  }
}

TEST_P(ThreadPoolTest, ThrowsOneOfSeveralExceptions) {
  ThreadPool pool(GetParam());
  for (int repeat = 0; repeat < 50; ++repeat) {
    EXPECT_THROW(pool.Run([](std::size_t part, std::size_t) { throw part; }),
                 std::size_t);
  }
}

TEST_P(ThreadPoolTest, NestedRunDoesAllParts) {
  ThreadPool pool(GetParam());
  std::atomic<std::size_t> inner{0};
  pool.Run([&](std::size_t, std::size_t) {
    pool.Run([&](std::size_t, std::size_t) { ++inner; });
  });
  EXPECT_EQ(inner, GetParam() * GetParam());
  pool.Run([&](std::size_t, std::size_t) { ++inner; });
  EXPECT_EQ(inner, GetParam() * (GetParam() + 1));
}

TEST_P(ThreadPoolTest, SeveralCallersAtOnce) {
  ThreadPool pool(GetParam());
  std::atomic<std::size_t> runs{0};
  {
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 3; ++caller) {
      callers.emplace_back([&] {
        for (int repeat = 0; repeat < 200; ++repeat) {
          pool.Run([&](std::size_t, std::size_t) { ++runs; });
        }
      });
    }
  }
  EXPECT_EQ(runs, 3 * 200 * GetParam());
}

TEST_P(ThreadPoolTest, StartsAndStopsOften) {
  for (int repeat = 0; repeat < 300; ++repeat) {
    ThreadPool pool(GetParam());
    std::atomic<std::size_t> runs{0};
    for (int run = 0; run < repeat % 3; ++run) {
      pool.Run([&](std::size_t, std::size_t) { ++runs; });
    }
    EXPECT_EQ(runs, static_cast<std::size_t>(repeat % 3) * GetParam());
  }
}

TEST_P(ThreadPoolTest, RunAllocatesNothing) {
  ThreadPool pool(GetParam());
  std::vector<std::size_t> sums(GetParam(), 0);
  const auto work = [&](std::size_t part, std::size_t) { ++sums[part]; };
  pool.Run(work);
  const std::size_t before = AllocationCount();
  for (int repeat = 0; repeat < 1000; ++repeat) pool.Run(work);
  EXPECT_EQ(AllocationCount(), before);
}

TEST(ThreadPool, HundredThousandRuns) {
  ThreadPool pool(2);
  std::size_t sums[2] = {};
  for (int repeat = 0; repeat < 100000; ++repeat) {
    pool.Run([&](std::size_t part, std::size_t) { ++sums[part]; });
  }
  EXPECT_EQ(sums[0], 100000u);
  EXPECT_EQ(sums[1], 100000u);
}

TEST(ThreadPool, TakesFunctionsThatCannotBeCopied) {
  ThreadPool pool(2);
  struct Function {
    Function() = default;
    Function(const Function&) = delete;
    void operator()(std::size_t part, std::size_t) const { (*runs)[part] = 1; }
    std::vector<int>* runs = nullptr;
  };
  std::vector<int> runs(2, 0);
  Function function;
  function.runs = &runs;
  pool.Run(function);
  pool.Run(static_cast<const Function&>(function));
  EXPECT_EQ(runs, (std::vector<int>{1, 1}));
}

}  // namespace
}  // namespace hpcnn
