// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// BatchLoader: dataset -> transform -> batches, ahead of the training loop.
//
//   BatchLoader loader(dataset, sampler, transform, {.workers = 32}, &pool);
//   for (const Batch& batch : loader) Train(batch.images, batch.labels);
//
// Workers write transformed images straight into the batch where the training
// reads them. They run ahead, into the next epoch too, by as many batches as
// there are slots. When a batch is late, the training threads help to finish
// it; without workers they do all of it. The bytes of a batch depend on its
// epoch and index alone, not on workers, slots, chunks or luck. Nothing
// allocates after construction.

#ifndef HPCNN_LOADER_BATCH_LOADER_H_
#define HPCNN_LOADER_BATCH_LOADER_H_

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <optional>
#include <span>
#include <thread>
#include <utility>

#include "hpcnn/base/arena.h"
#include "hpcnn/base/check.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/batch_slots.h"
#include "hpcnn/concurrency/cpu_count.h"
#include "hpcnn/concurrency/thread_pool.h"
#include "hpcnn/data/dataset.h"
#include "hpcnn/data/sampler.h"
#include "hpcnn/loader/augment_pool.h"

HPCNN_NAMESPACE_BEGIN

// What the training loop consumes. The last batch of an epoch may be short.
struct Batch {
  MatrixView<const float> images;        // [n, C * H * W], 0..1
  std::span<const std::uint8_t> labels;  // [n]
  std::uint32_t epoch;
  std::size_t index;  // in the epoch
};

// Where a transform writes: [C, H, W].
template <ShapeType ImageShape>
using TransformedView = typename internal::ViewOfShape<float, ImageShape>::Type;

// Satisfied by a callable (epoch, draw, image, result) that any number of
// threads may call at once and that draws its random numbers from (epoch,
// draw).
template <class F, class ImageShape>
concept Transform = requires(const F& transform, std::uint32_t epoch,
                             std::uint32_t draw, ImageView<ImageShape> image,
                             TransformedView<ImageShape> result) {
  transform(epoch, draw, image, result);
};

struct BatchLoaderOptions {
  std::size_t batch_size = 64;
  std::uint32_t first_epoch = 0;
  std::uint32_t epochs = 1;
  std::size_t workers = 0;  // 0: the training threads transform
  // At most this many workers run, the rest are parked.
  std::size_t max_running = UsableCpus().count;
  // Batches in memory, the one being trained on included.
  std::size_t slots = 16;
  // Images that a thread takes at once, 0 for a choice.
  std::size_t chunk_size = 0;
};

template <Dataset D, Sampler S, class F>
class BatchLoader {
  using ImageShape = typename D::ImageShape;
  static_assert(Transform<F, ImageShape>,
                "hpcnn: the loader's transform must take images of the "
                "dataset's shape");
  static constexpr std::size_t kImageSize = ImageShape::kVolume;

 public:
  // `dataset` and `pool`, the training threads (null: the caller alone), must
  // outlive the loader; `sampler` and `transform` are copied.
  BatchLoader(const D& dataset, const S& sampler, const F& transform,
              const BatchLoaderOptions& options, ThreadPool* pool = nullptr)
      : dataset_(dataset),
        sampler_(sampler),
        transform_(transform),
        pool_(pool),
        batch_size_(options.batch_size),
        chunk_size_(ChunkSize(options)),
        batches_per_epoch_((sampler.per_epoch() + batch_size_ - 1) /
                           batch_size_),
        first_epoch_(options.first_epoch),
        epochs_(options.epochs),
        arena_(ArenaBytes<float>(Slots(options) * batch_size_ * kImageSize) +
               ArenaBytes<std::uint8_t>(Slots(options) * batch_size_)),
        images_(arena_.Take<float>(Slots(options) * batch_size_ * kImageSize)),
        labels_(arena_.Take<std::uint8_t>(Slots(options) * batch_size_)),
        slots_(Slots(options), (batch_size_ + chunk_size_ - 1) / chunk_size_,
               std::uint64_t{options.epochs} * batches_per_epoch_),
        workers_(options.workers, options.max_running, slots_,
                 [this](const Chunk& chunk) {
                   Fill(chunk);
                   GiveWay();
                 }) {}

  // The next batch, valid until the next call of Next or Release; null after
  // the last one. What a worker threw while it made this batch is thrown here,
  // once; the loader has ended then.
  const Batch* Next() {
    Release();
    if (!slots_.ready()) {
      const auto start = Clock::now();
      Help();
      const bool complete = slots_.Wait();
      waited_ += Clock::now() - start;
      if (!complete) {
        if (auto error = slots_.TakeError()) std::rethrow_exception(error);
        return nullptr;
      }
    }
    const Ticket ticket = slots_.ticket();
    const std::size_t first = slots_.slot() * batch_size_;
    const std::size_t index = ticket % batches_per_epoch_;
    const std::size_t size = SizeOf(index);
    return &batch_.emplace(
        Batch{.images = {&images_[first * kImageSize], size, kImageSize},
              .labels = labels_.subspan(first, size),
              .epoch = EpochOf(ticket),
              .index = index});
  }

  // Hands the batch's memory back to the workers; optional, as Next does it.
  void Release() {
    if (!batch_) return;
    batch_.reset();
    slots_.Release();
  }

  // Ends the loader from any thread: Next returns null soon.
  void close() { slots_.close(); }

  std::uint32_t epochs() const { return epochs_; }
  std::size_t batches_per_epoch() const { return batches_per_epoch_; }
  std::size_t workers() const { return workers_.workers(); }
  std::size_t running() const { return workers_.running(); }
  // Time in Next during which the batch was not there yet: starvation, and
  // without workers the time of the transform.
  double wait_seconds() const {
    return std::chrono::duration<double>(waited_).count();
  }

  // for (const Batch& batch : loader): the batches not yet taken.
  class Iterator {
   public:
    explicit Iterator(BatchLoader* loader) : loader_(loader) { ++*this; }
    const Batch& operator*() const { return *batch_; }
    Iterator& operator++() {
      batch_ = loader_->Next();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return !batch_; }

   private:
    BatchLoader* loader_;
    const Batch* batch_ = nullptr;
  };
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() { return {}; }

 private:
  using Clock = std::chrono::steady_clock;
  using Chunk = BatchSlots::Chunk;
  using Ticket = BatchSlots::Ticket;

  static std::size_t Slots(const BatchLoaderOptions& options) {
    HPCNN_CHECK(options.batch_size >= 1 && options.slots >= 1,
                "a BatchLoader needs a batch size and slots of at least 1");
    return options.workers == 0 ? 1 : options.slots;
  }

  // Small enough that several threads share a late batch, and large enough that
  // claiming (~50 ns) is nothing beside some us of transforming.
  static std::size_t ChunkSize(const BatchLoaderOptions& options) {
    if (options.chunk_size > 0) return options.chunk_size;
    return std::clamp<std::size_t>(options.batch_size / 4, 1, 16);
  }

  std::uint32_t EpochOf(Ticket ticket) const {
    return first_epoch_ +
           static_cast<std::uint32_t>(ticket / batches_per_epoch_);
  }

  // Images in the epoch's batch `index`.
  std::size_t SizeOf(std::size_t index) const {
    return std::min(batch_size_, sampler_.per_epoch() - index * batch_size_);
  }

  // The training threads make what nobody claimed of the batch they need.
  void Help() {
    if (slots_.unclaimed() > slots_.ticket()) return;
    const auto help = [this](std::size_t, std::size_t) {
      Chunk chunk;
      while (slots_.TryClaim(&chunk, slots_.ticket() + 1)) Fill(chunk);
    };
    pool_ != nullptr ? pool_->Run(help) : help(0, 1);
  }

  void Fill(const Chunk& chunk) {
    std::exception_ptr error = internal::Catch([&] { FillOrThrow(chunk); });
    error ? slots_.Fail(chunk, std::move(error)) : slots_.Complete(chunk);
  }

  // A worker that took the core of a training thread holds up all of them, as
  // they wait for each other: where one sleeps, offer the core after each
  // chunk.
  void GiveWay() const {
    if (pool_ != nullptr && pool_->maybe_waiting()) std::this_thread::yield();
  }

  void FillOrThrow(const Chunk& chunk) {
    const std::uint32_t epoch = EpochOf(chunk.ticket);
    const std::size_t index = chunk.ticket % batches_per_epoch_;
    const std::size_t size = SizeOf(index);
    const std::size_t begin = chunk.index * chunk_size_;
    for (std::size_t i = begin; i < std::min(begin + chunk_size_, size); ++i) {
      const std::size_t draw = index * batch_size_ + i;
      const std::size_t sample = sampler_.Index(epoch, draw);
      const std::size_t place = chunk.slot * batch_size_ + i;
      transform_(epoch, static_cast<std::uint32_t>(draw),
                 dataset_.image(sample),
                 TransformedView<ImageShape>(&images_[place * kImageSize]));
      labels_[place] = dataset_.label(sample);
    }
  }

  const D& dataset_;
  const S sampler_;
  const F transform_;
  ThreadPool* const pool_;
  const std::size_t batch_size_;
  const std::size_t chunk_size_;
  const std::size_t batches_per_epoch_;
  const std::uint32_t first_epoch_;
  const std::uint32_t epochs_;
  Arena arena_;
  std::span<float> images_;         // [slots, batch_size, C, H, W]
  std::span<std::uint8_t> labels_;  // [slots, batch_size]
  BatchSlots slots_;
  std::optional<Batch> batch_;  // the consumer's
  Clock::duration waited_{};
  AugmentPool workers_;  // last: the threads use everything above
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_LOADER_BATCH_LOADER_H_
