// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/loader/batch_loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "hpcnn/base/random.h"
#include "tests/testing/allocation_count.h"

namespace hpcnn {
namespace {

using ImageShape = Shape<1, 5, 3>;
using Images = ImageSet<ImageShape, 10>;

Images MakeImages(std::size_t count) {
  Images images(count);
  RandomStream random({.seed = 1});
  for (std::size_t i = 0; i < count; ++i) {
    for (std::uint8_t& pixel : images.image(i)) {
      pixel = static_cast<std::uint8_t>(random.Below(256));
    }
    images.label(i) = static_cast<std::uint8_t>(random.Below(10));
  }
  return images;
}

// Random per (epoch, draw), as an augmentation is.
struct RandomScale {
  void operator()(std::uint32_t epoch, std::uint32_t draw,
                  ImageView<ImageShape> in,
                  TransformedView<ImageShape> out) const {
    const float scale =
        RandomStream({.seed = 7, .epoch = epoch, .sample = draw}).Uniform();
    for (std::size_t i = 0; i < in.size(); ++i) out[i] = scale * in[i];
  }
};

// Throws at one draw.
struct ThrowAt {
  std::uint32_t epoch;
  std::uint32_t draw;
  void operator()(std::uint32_t e, std::uint32_t d, ImageView<ImageShape> in,
                  TransformedView<ImageShape> out) const {
    if (e == epoch && d == draw) throw std::runtime_error("thrown");
    RandomScale()(e, d, in, out);
  }
};

// A dataset whose images cannot be read.
struct Broken {
  using ImageShape = Shape<1, 5, 3>;
  static constexpr std::size_t kClasses = 10;
  std::size_t size() const { return 107; }
  ImageView<ImageShape> image(std::size_t) const {
    throw std::runtime_error("unreadable");
  }
  std::uint8_t label(std::size_t) const { return 0; }
};

constexpr std::size_t kImages = 107;
constexpr std::size_t kBatch = 10;  // ten full batches and one of seven
constexpr std::uint32_t kFirstEpoch = 3;
constexpr std::uint32_t kEpochs = 3;

class BatchLoaderTest : public testing::Test {
 protected:
  BatchLoaderTest() : images_(MakeImages(kImages)) {}

  static BatchLoaderOptions Options(std::size_t workers) {
    return {.batch_size = kBatch,
            .first_epoch = kFirstEpoch,
            .epochs = kEpochs,
            .workers = workers,
            .max_running = 8,
            .slots = 4,
            .chunk_size = 3};
  }

  template <class F = RandomScale>
  BatchLoader<Images, ShuffledSampler, F> Load(BatchLoaderOptions options,
                                               ThreadPool* pool = nullptr,
                                               F transform = {}) const {
    return {images_, ShuffledSampler(kImages, 5), transform, options, pool};
  }

  Images images_;
};

// FNV-1a over everything that a batch holds.
std::uint64_t Hash(std::uint64_t hash, const Batch& batch) {
  const auto add = [&hash](std::uint64_t value) {
    hash = (hash ^ value) * 0x100000001B3;
  };
  add(batch.epoch);
  add(batch.index);
  add(batch.images.rows());
  for (std::size_t i = 0; i < batch.images.rows(); ++i) {
    for (std::size_t j = 0; j < batch.images.cols(); ++j) {
      add(std::bit_cast<std::uint32_t>(batch.images(i, j)));
    }
    add(batch.labels[i]);
  }
  return hash;
}

template <class Loader>
std::uint64_t HashAll(Loader& loader) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const Batch& batch : loader) hash = Hash(hash, batch);
  return hash;
}

TEST_F(BatchLoaderTest, BatchesAreWhatSamplerAndTransformSay) {
  for (const std::size_t workers : {0u, 2u}) {
    auto loader = Load(Options(workers));
    EXPECT_EQ(loader.batches_per_epoch(), 11u);
    const ShuffledSampler sampler(kImages, 5);
    Tensor<float, 1, 5, 3> expected;
    for (std::uint32_t epoch = kFirstEpoch; epoch < kFirstEpoch + kEpochs;
         ++epoch) {
      for (std::size_t index = 0; index < 11; ++index) {
        const Batch* batch = loader.Next();
        ASSERT_NE(batch, nullptr);
        EXPECT_EQ(batch->epoch, epoch);
        EXPECT_EQ(batch->index, index);
        ASSERT_EQ(batch->images.rows(), index < 10 ? kBatch : 7);
        ASSERT_EQ(batch->images.cols(), ImageShape::kVolume);
        ASSERT_EQ(batch->labels.size(), batch->images.rows());
        for (std::size_t i = 0; i < batch->images.rows(); ++i) {
          const std::size_t draw = index * kBatch + i;
          const std::size_t sample = sampler.Index(epoch, draw);
          RandomScale()(epoch, static_cast<std::uint32_t>(draw),
                        images_.image(sample), expected.view());
          EXPECT_TRUE(std::equal(expected.begin(), expected.end(),
                                 batch->images.row(i)));
          EXPECT_EQ(batch->labels[i], images_.label(sample));
        }
      }
    }
    EXPECT_EQ(loader.Next(), nullptr);
    EXPECT_EQ(loader.Next(), nullptr);
  }
}

// The determinism promise: bytes depend on epoch and index alone.
TEST_F(BatchLoaderTest, SameBytesForAnyWorkersSlotsChunksAndThreads) {
  auto reference = Load(Options(0));
  const std::uint64_t expected = HashAll(reference);
  ThreadPool pool(3);
  for (const std::size_t workers : {0u, 1u, 2u, 7u, 32u}) {
    for (const std::size_t slots : {1u, 2u, 3u, 16u}) {
      for (const std::size_t chunk : {0u, 1u, 3u, 10u, 64u}) {
        for (ThreadPool* threads : {static_cast<ThreadPool*>(nullptr), &pool}) {
          BatchLoaderOptions options = Options(workers);
          options.slots = slots;
          options.chunk_size = chunk;
          auto loader = Load(options, threads);
          ASSERT_EQ(HashAll(loader), expected)
              << workers << " workers, " << slots << " slots, chunks of "
              << chunk;
        }
      }
    }
  }
}

TEST_F(BatchLoaderTest, FirstEpochMayBeAnyOne) {
  BatchLoaderOptions options = Options(2);
  auto all = Load(options);
  std::uint64_t expected = 0;
  for (const Batch& batch : all) {
    if (batch.epoch == kFirstEpoch + 2) expected = Hash(expected, batch);
  }
  options.first_epoch = kFirstEpoch + 2;
  options.epochs = 1;
  auto last = Load(options);
  std::uint64_t actual = 0;
  for (const Batch& batch : last) actual = Hash(actual, batch);
  EXPECT_EQ(actual, expected);
}

TEST_F(BatchLoaderTest, BatchLargerThanTheEpoch) {
  BatchLoaderOptions options = Options(2);
  options.batch_size = 1000;
  auto loader = Load(options);
  std::size_t batches = 0;
  for (const Batch& batch : loader) {
    EXPECT_EQ(batch.images.rows(), kImages);
    EXPECT_EQ(batch.index, 0u);
    ++batches;
  }
  EXPECT_EQ(batches, kEpochs);
}

TEST_F(BatchLoaderTest, NoEpochsOrNoDraws) {
  BatchLoaderOptions options = Options(2);
  options.epochs = 0;
  EXPECT_EQ(Load(options).Next(), nullptr);
  BatchLoader no_draws(images_, ReplacementSampler(kImages, 0, 1),
                       RandomScale(), Options(2));
  EXPECT_EQ(no_draws.Next(), nullptr);
}

TEST_F(BatchLoaderTest, LeavesAfterAnyNumberOfBatches) {
  ThreadPool pool(2);
  for (const std::size_t workers : {0u, 1u, 2u, 7u}) {
    for (int taken = 0; taken < 14; ++taken) {
      for (const bool release : {false, true}) {
        auto loader = Load(Options(workers), &pool);
        for (int i = 0; i < taken; ++i) ASSERT_NE(loader.Next(), nullptr);
        if (release) loader.Release();
      }
    }
  }
}

TEST_F(BatchLoaderTest, StartsAndStopsAThousandTimes) {
  for (int repeat = 0; repeat < 1000; ++repeat) {
    auto loader = Load(Options(2));
    if (repeat % 2 == 0) {
      ASSERT_NE(loader.Next(), nullptr);
    }
  }
}

TEST_F(BatchLoaderTest, CloseEndsItFromAnotherThread) {
  for (int repeat = 0; repeat < 100; ++repeat) {
    BatchLoaderOptions options = Options(2);
    options.epochs = 1000000;
    auto loader = Load(options);
    std::jthread closer([&] { loader.close(); });
    while (loader.Next() != nullptr) {
    }
  }
}

TEST_F(BatchLoaderTest, ExceptionComesInPlaceOfItsBatchOnce) {
  ThreadPool pool(2);
  for (const std::size_t workers : {0u, 1u, 2u, 7u}) {
    for (const std::uint32_t draw : {0u, 1u, 9u, 10u, 55u, 106u}) {
      auto loader = Load(Options(workers), &pool,
                         ThrowAt{.epoch = kFirstEpoch + 1, .draw = draw});
      for (std::size_t i = 0; i < 11 + draw / kBatch; ++i) {
        ASSERT_NE(loader.Next(), nullptr) << workers << " workers, " << draw;
      }
      EXPECT_THROW(loader.Next(), std::runtime_error);
      EXPECT_EQ(loader.Next(), nullptr);
    }
    auto next = Load(Options(workers), &pool);
    EXPECT_NE(next.Next(), nullptr);
  }
}

TEST_F(BatchLoaderTest, ExceptionNobodyWaitsForIsDropped) {
  for (int repeat = 0; repeat < 100; ++repeat) {
    auto loader =
        Load(Options(2), nullptr, ThrowAt{.epoch = kFirstEpoch, .draw = 15});
    EXPECT_NE(loader.Next(), nullptr);
  }
}

TEST_F(BatchLoaderTest, ExceptionOfTheDataset) {
  const Broken broken;
  BatchLoader loader(broken, ShuffledSampler(kImages, 5), RandomScale(),
                     Options(2));
  EXPECT_THROW(loader.Next(), std::runtime_error);
  EXPECT_EQ(loader.Next(), nullptr);
}

TEST_F(BatchLoaderTest, AllocatesNothingAfterConstruction) {
  ThreadPool pool(2);
  for (const std::size_t workers : {0u, 2u, 32u}) {
    auto loader = Load(Options(workers), &pool);
    const std::size_t before = AllocationCount();
    while (loader.Next() != nullptr) {
    }
    EXPECT_EQ(AllocationCount(), before) << workers << " workers";
  }
}

TEST_F(BatchLoaderTest, SaysHowManyWorkersRun) {
  BatchLoaderOptions options = Options(32);
  options.max_running = 2;
  const auto loader = Load(options);
  EXPECT_EQ(loader.workers(), 32u);
  EXPECT_EQ(loader.running(), 2u);
}

TEST_F(BatchLoaderTest, CountsTheTimeWithoutData) {
  auto loader = Load(Options(0));
  EXPECT_EQ(loader.wait_seconds(), 0.0);
  loader.Next();
  const double first = loader.wait_seconds();
  EXPECT_GT(first, 0.0);
  loader.Next();
  EXPECT_GT(loader.wait_seconds(), first);
}

}  // namespace
}  // namespace hpcnn
