// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// bazel run //bench:augment
//
// Images of 28x28 augmented a second: each operation alone and the fused
// pipeline, by policy. The table at the end interleaves its rows in rounds and
// gives medians with quartiles; limits are probed in the same rounds.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/roofline.h"
#include "benchmark/benchmark.h"
#include "hpcnn/hpcnn.h"

namespace hpcnn::bench {
namespace {

using Image = Shape<1, 28, 28>;
constexpr std::size_t kPixels = Image::kVolume;
// Input and output stay in L2, as between a loader's worker and its batch.
constexpr std::size_t kImages = 100;
// Rounds far below a scheduler's time slice, so that on a busy machine most of
// them are not interrupted.
constexpr std::uint32_t kCallsPerRound = 3 * kImages;
constexpr int kRounds = 101;

// Images as stored, and between 0 and 1; and a place for results.
struct Data {
  Data() {
    const SyntheticDigits digits = MakeSyntheticDigits(kImages, 1);
    for (std::size_t i = 0; i < kImages; ++i) {
      const auto image = digits.image(i);
      std::copy(image.begin(), image.end(), &bytes[i * kPixels]);
      Normalise<Image>()(0, 0, image, Out(i));
    }
    brightness = out;
  }
  auto Bytes(std::size_t i) const {
    return TensorView<const std::uint8_t, 1, 28, 28>(
        &bytes[i % kImages * kPixels]);
  }
  auto Brightness(std::size_t i) const {
    return TensorView<const float, 1, 28, 28>(
        &brightness[i % kImages * kPixels]);
  }
  TensorView<float, 1, 28, 28> Out(std::size_t i) {
    return TensorView<float, 1, 28, 28>(&out[i % kImages * kPixels]);
  }

  Tensor<std::uint8_t, kImages * kPixels> bytes;
  Tensor<float, kImages * kPixels> brightness, out;
};

// One call of each operation, on image i and with parameters that vary with it.
template <class P>
void CallRotate(Data& data, std::uint32_t i) {
  Rotate<P>(data.Brightness(i), static_cast<float>(i % 17) - 8, data.Out(i));
}
template <class P>
void CallShift(Data& data, std::uint32_t i) {
  Shift<P>(data.Brightness(i), static_cast<float>(i % 3) - 1, 0.5f,
           data.Out(i));
}
template <class P>
void CallSkew(Data& data, std::uint32_t i) {
  Skew<P>(data.Brightness(i), 0.01f * static_cast<float>(i % 21) - 0.1f,
          data.Out(i));
}
template <class P>
void CallNoise(Data& data, std::uint32_t i) {
  AddNoise<P>(data.Brightness(i), 0.05f, {1, 0, i, RandomOp::kNoise},
              data.Out(i));
}
template <class P>
void CallPipeline(Data& data, std::uint32_t i) {
  AugmentPipeline<Image, P>(1)(0, i, data.Bytes(i), data.Out(i));
}
void CallNormalise(Data& data, std::uint32_t i) {
  Normalise<Image>()(0, i, data.Bytes(i), data.Out(i));
}

using Call = void (*)(Data&, std::uint32_t);
struct Op {
  const char* name;
  Call scalar;
  Call simd;
};
constexpr Op kOps[] = {
    {"rotate", CallRotate<Scalar>, CallRotate<Simd>},
    {"shift", CallShift<Scalar>, CallShift<Simd>},
    {"skew", CallSkew<Scalar>, CallSkew<Simd>},
    {"noise", CallNoise<Scalar>, CallNoise<Simd>},
    {"pipeline (all four)", CallPipeline<Scalar>, CallPipeline<Simd>},
};

void BM_Call(benchmark::State& state, Call call) {
  const auto data = std::make_unique<Data>();
  std::uint32_t i = 0;
  for (auto _ : state) {
    call(*data, i++);
    benchmark::ClobberMemory();
  }
  state.counters["images/s"] = benchmark::Counter(
      static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void RegisterAll() {
  for (const Op& op : kOps) {
    const std::string name = std::string("BM_Augment/") + op.name;
    benchmark::RegisterBenchmark((name + "/scalar").c_str(), BM_Call,
                                 op.scalar);
    benchmark::RegisterBenchmark((name + "/simd").c_str(), BM_Call, op.simd);
  }
  benchmark::RegisterBenchmark("BM_Augment/normalise", BM_Call, CallNormalise);
  benchmark::RegisterBenchmark("BM_Augment/pipeline/simd/cores", BM_Call,
                               CallPipeline<Simd>)
      ->Threads(static_cast<int>(UsableCpus().count))
      ->UseRealTime();
}

// Simple vector operations a second on one core: 12 independent chains, enough
// for four ports with a latency of two cycles.
double ProbeVectorOperations() {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<std::uint16_t> d;
  constexpr std::size_t kChains = 12;
  constexpr std::size_t kSteps = 20'000;
  const double seconds = Seconds([&] {
    std::array<hn::Vec<decltype(d)>, kChains> chains;
    for (std::size_t i = 0; i < kChains; ++i) {
      chains[i] = hn::Iota(d, static_cast<int>(i));
    }
    for (std::size_t step = 0; step < kSteps; ++step) {
      // Something that the compiler cannot work out in advance.
      for (auto& chain : chains) chain = hn::Xor(chain, hn::Add(chain, chain));
    }
    auto sum = hn::Zero(d);
    for (const auto& chain : chains) sum = hn::Xor(sum, chain);
    volatile std::uint16_t sink = hn::GetLane(sum);
    (void)sink;
  });
  return 2 * kChains * kSteps / seconds;
}

// Vector operations of one 28x28 image in AugmentPipeline<Simd>'s machine code
// with AVX-512, stores and parameters not counted: the plane 30 x 3; 28 rows of
// 35 and 6 for each of 1.9 tables on average; noise 2 x 260; 24.5 vectors of 14
// to finish.
constexpr double kPipelineOperations =
    30 * 3 + 28 * (35 + 6 * 1.9) + 2 * 260 + 24.5 * 14;

// Nanoseconds an image.
double Time(const std::function<void()>& round, std::size_t images) {
  return 1e9 * Seconds(round) / static_cast<double>(images);
}

double TimeCalls(Data& data, Call call, std::uint32_t calls = kCallsPerRound) {
  return Time(
      [&] {
        for (std::uint32_t i = 0; i < calls; ++i) {
          call(data, i);
          benchmark::ClobberMemory();
        }
      },
      calls);
}

void PrintRow(const char* name, const std::vector<double>& nanoseconds) {
  const Spread s = SpreadOf(nanoseconds);
  std::printf("  %-32s %9.1f ns  [%.1f ... %.1f]  %8.3f M images/s\n", name,
              s.median, s.low, s.high, 1e3 / s.median);
}

void PrintTable() {
  constexpr std::size_t kCount = std::size(kOps);
  const auto data = std::make_unique<Data>();
  ThreadPool pool(UsableCpus().count);
  std::vector<std::unique_ptr<Data>> each;
  while (each.size() < pool.threads()) each.push_back(std::make_unique<Data>());

  std::vector<double> scalar[kCount], simd[kCount], all, normalise, share;
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < kCount; ++i) {
      scalar[i].push_back(TimeCalls(*data, kOps[i].scalar, kImages));
      simd[i].push_back(TimeCalls(*data, kOps[i].simd));
    }
    normalise.push_back(TimeCalls(*data, CallNormalise));
    share.push_back(1e9 * kPipelineOperations / ProbeVectorOperations() /
                    simd[kCount - 1].back());
    all.push_back(Time(
        [&] {
          pool.Run([&](std::size_t part, std::size_t) {
            TimeCalls(*each[part], CallPipeline<Simd>);
          });
        },
        kCallsPerRound * pool.threads()));
  }

  std::printf(
      "\nAugmenting 28x28 images, SIMD target %s, medians [quartiles]\n",
      hwy::TargetName(HWY_STATIC_TARGET));
  for (std::size_t i = 0; i < kCount; ++i) {
    PrintRow((std::string(kOps[i].name) + ", scalar").c_str(), scalar[i]);
    PrintRow((std::string(kOps[i].name) + ", simd").c_str(), simd[i]);
    std::printf("  %-32s %9.1f x\n", "",
                SpreadOf(scalar[i]).median / SpreadOf(simd[i]).median);
  }
  PrintRow("bytes to floats alone", normalise);
  const std::string name =
      "pipeline, simd, " + std::to_string(pool.threads()) + " threads";
  PrintRow(name.c_str(), all);
  if (hwy::HWY_NAMESPACE::MaxLanes(
          hwy::HWY_NAMESPACE::ScalableTag<std::uint16_t>()) == 32) {
    const Spread s = SpreadOf(share);
    std::printf(
        "  The pipeline on one core runs at %.0f %% [%.0f ... %.0f] of the "
        "rate at which\n  this core issues simple vector operations.\n",
        100 * s.median, 100 * s.low, 100 * s.high);
  }
}

}  // namespace
}  // namespace hpcnn::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  hpcnn::bench::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  hpcnn::bench::PrintTable();
  return 0;
}
