// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// bazel run //bench:scaling [-- --threads=1,2,4,8]
//
// The course's table: matrix product, im2col, convolution and training step by
// number of threads. Speed-ups are over the first number, of rounds that take
// turns; medians with quartiles. A training step chooses by itself whether its
// threads pay (train/fork_choice.h).

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "bench/roofline.h"
#include "hpcnn/hpcnn.h"
#include "tools/train/models.h"

namespace hpcnn::bench {
namespace {

constexpr int kRounds = 9;
constexpr std::size_t kBatch = 64;
constexpr std::size_t kMostThreads = 256;
// Long enough for the system to bring a thread to a processor of its own.
constexpr double kSecondsPerRound = 40e-3;

std::vector<float> Numbers(std::size_t size) {
  std::vector<float> numbers(size);
  for (std::size_t i = 0; i < size; ++i) {
    numbers[i] = static_cast<float>(i * 2654435761u >> 7 & 0xFF) / 256;
  }
  return numbers;
}

// What is timed; made for one pool.
using Call = std::function<void()>;
struct Op {
  std::string name;
  std::function<Call(ThreadPool&)> make;
};

Op Product(std::size_t side) {
  const auto make = [side](ThreadPool& pool) -> Call {
    return [&pool, side, a = Numbers(side * side), b = Numbers(side * side),
            c = std::vector<float>(side * side)]() mutable {
      Gemm<Simd>(MatrixView<const float>(a.data(), side, side),
                 MatrixView<const float>(b.data(), side, side),
                 MatrixView<float>(c.data(), side, side), Overwrite{},
                 KeepSums{}, &pool);
    };
  };
  return {"gemm " + std::to_string(side) + "^3", make};
}

template <class G>
Op Columns(const char* name) {
  const auto make = [](ThreadPool& pool) -> Call {
    return [&pool, x = Numbers(kBatch * G::Input::kVolume),
            columns = std::vector<float>(kBatch * G::kPixels *
                                         G::kKernelSize)]() mutable {
      const MatrixView<const float> from(x.data(), kBatch, G::Input::kVolume);
      const MatrixView<float> to(columns.data(), kBatch * G::kPixels,
                                 G::kKernelSize);
      Threads(&pool).ForShares(kBatch, [&](IndexRange some) {
        Im2Col<G>(from.Rows(some.begin, some.size()),
                  to.Rows(some.begin * G::kPixels, some.size() * G::kPixels));
      });
    };
  };
  return {name, make};
}

template <class Layer, class In>
Op Convolution(const char* name) {
  using L = typename Layer::template On<In>;
  const auto make = [](ThreadPool& pool) -> Call {
    return
        [&pool, x = Numbers(kBatch * In::kVolume),
         y = std::vector<float>(kBatch * L::Output::kVolume),
         params = Numbers(L::kParameterRows * L::kRowSize),
         scratch = std::vector<float>(pool.threads() * L::kScratch)]() mutable {
          pool.Run([&](std::size_t part, std::size_t parts) {
            const IndexRange some = Partition(kBatch, part, parts);
            L::template Forward<Simd>(ForwardPass<float>{
                params,
                {x.data() + some.begin * In::kVolume, some.size(), In::kVolume},
                {y.data() + some.begin * L::Output::kVolume, some.size(),
                 L::Output::kVolume},
                std::span(scratch).subspan(part * L::kScratch, L::kScratch)});
          });
        };
  };
  return {name, make};
}

template <class Net>
Op Step(const char* name) {
  using NetTrainer = Trainer<Net, SoftmaxCrossEntropy, Momentum>;
  const auto make = [](ThreadPool& pool) -> Call {
    auto trainer = std::make_shared<NetTrainer>(pool, kBatch, Momentum{}, 1);
    return [trainer, x = Numbers(kBatch * NetTrainer::kInputs),
            labels = std::vector<std::uint8_t>(kBatch)] {
      trainer->Step({x.data(), kBatch, NetTrainer::kInputs}, labels, 1e-4f);
    };
  };
  return {name, make};
}

std::vector<Op> AllOps() {
  using train::CnnModel, train::LenetModel, train::MlpLargeModel,
      train::MlpModel;
  return {
      Product(512),
      Product(1000),
      Columns<ConvGeometry<Shape<8, 12, 12>, 16, 5, 5>>("im2col 8x12x12, 5x5"),
      Convolution<Conv2d<16, 5, 5>, Shape<8, 12, 12>>("conv2d 8 to 16, 5x5"),
      Convolution<Conv2d<16, 3, 3, Stride<1>, Padding<1>>, Shape<16, 24, 24>>(
          "conv2d 16 to 16, 3x3"),
      Step<MlpModel>("step of mlp"),
      Step<MlpLargeModel>("step of mlp-large"),
      Step<LenetModel>("step of lenet"),
      Step<CnnModel>("step of cnn"),
  };
}

// Seconds of one call: the mean of as many as fill a round, after one round that
// wakes threads and brings them to their processors.
double Time(const Call& call) {
  const int calls = static_cast<int>(kSecondsPerRound / Seconds(call)) + 1;
  const auto round = [&] {
    for (int i = 0; i < calls; ++i) call();
  };
  round();
  return Seconds(round) / calls;
}

void PrintRow(const Op& op,
              const std::vector<std::unique_ptr<ThreadPool>>& pools) {
  std::vector<Call> calls;
  for (const auto& pool : pools) calls.push_back(op.make(*pool));
  std::vector<std::vector<double>> seconds(pools.size()), ratios(pools.size());
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < pools.size(); ++i) {
      seconds[i].push_back(Time(calls[i]));
      ratios[i].push_back(seconds[0].back() / seconds[i].back());
    }
  }
  std::printf("%-21s %9.1f us", op.name.c_str(),
              1e6 * SpreadOf(seconds[0]).median);
  for (std::size_t i = 1; i < pools.size(); ++i) {
    const Spread s = SpreadOf(ratios[i]);
    std::printf("   %4.2fx [%4.2f ... %4.2f]", s.median, s.low, s.high);
  }
  std::printf("\n");
  std::fflush(stdout);
}

void PrintTable(const std::vector<std::size_t>& threads) {
  const CpuCount cpus = UsableCpus();
  std::printf(
      "%s, SIMD target %s; %zu usable processors (%s); batch %zu\n%-21s",
      CpuModel().c_str(), hwy::TargetName(HWY_STATIC_TARGET), cpus.count,
      std::string(cpus.source).c_str(), kBatch, "threads");
  std::vector<std::unique_ptr<ThreadPool>> pools;
  for (const std::size_t count : threads) {
    // More than there are processors take turns on them.
    std::printf(pools.empty() ? "%10zu%s " : "%21zu%s ", count,
                count > cpus.count ? "*" : " ");
    pools.push_back(std::make_unique<ThreadPool>(count));
  }
  std::printf("\n");
  for (const Op& op : AllOps()) PrintRow(op, pools);
  if (std::ranges::max(threads) > cpus.count) {
    std::printf("* more threads than processors\n");
  }
}

// "1,2,4"; empty where it is none.
std::vector<std::size_t> Counts(const char* text) {
  std::vector<std::size_t> counts;
  const char* const end = text + std::strlen(text);
  while (true) {
    std::size_t count = 0;
    const auto [next, error] = std::from_chars(text, end, count);
    if (error != std::errc() || count == 0 || count > kMostThreads) return {};
    counts.push_back(count);
    if (next == end) return counts;
    if (*next != ',') return {};
    text = next + 1;
  }
}

}  // namespace
}  // namespace hpcnn::bench

int main(int argc, char** argv) {
  constexpr char kFlag[] = "--threads=";
  std::vector<std::size_t> threads = {1, 2, 4, 8};
  for (int i = 1; i < argc; ++i) {
    threads.clear();
    if (std::strncmp(argv[i], kFlag, sizeof(kFlag) - 1) == 0) {
      threads = hpcnn::bench::Counts(argv[i] + sizeof(kFlag) - 1);
    }
    if (threads.empty()) {
      std::fprintf(stderr,
                   "scaling: expected --threads=1,2,4 (1 to %zu each), found "
                   "\"%s\"\n",
                   hpcnn::bench::kMostThreads, argv[i]);
      return 2;
    }
  }
  hpcnn::bench::PrintTable(threads);
}
