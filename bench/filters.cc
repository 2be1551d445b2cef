// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// bazel run //bench:filters
//
// Pixels filtered a second: dense kernels of full rank, the named ones and the
// gradient's size, floats and bytes, by image size, policy and threads; Scalar
// once each where images are large. The table at the end interleaves its rows in rounds and gives medians with
// quartiles. The limit of a row is the smaller of a copy of the same bytes
// between the same buffers and of the processor's multiply-adds shared out to
// the taps that are left after folding, both probed in this process.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/dense_kernel.h"
#include "bench/roofline.h"
#include "benchmark/benchmark.h"
#include "hpcnn/hpcnn.h"
#include "hpcnn/image/row_factors.h"

namespace hpcnn::bench {
namespace {

constexpr std::size_t kSides[] = {512, 1000, 4096};
constexpr std::size_t kLargest = 4096;
// The course's table is of this one.
constexpr std::size_t kCourseSide = 512;
constexpr int kRounds = 9;
// Long enough for the clock, short against a scheduler's time slice.
constexpr double kSecondsPerRound = 2e-3;

template <class T>
using Buffer = std::unique_ptr<T[], void (*)(void*)>;

template <class T>
Buffer<T> MakeBuffer() {
  constexpr std::size_t kCount = kLargest * kLargest;
  Buffer<T> buffer(static_cast<T*>(std::aligned_alloc(64, kCount * sizeof(T))),
                   std::free);
  for (std::size_t i = 0; i < kCount; ++i) {
    buffer[i] = static_cast<T>(i * 2654435761u >> 7 & 0xFF);
  }
  return buffer;
}

template <class T>
MatrixView<T> Square(const Buffer<T>& buffer, std::size_t side) {
  return {buffer.get(), side, side};
}

struct Images {
  Buffer<float> floats = MakeBuffer<float>();
  Buffer<float> float_results = MakeBuffer<float>();
  Buffer<std::uint8_t> bytes = MakeBuffer<std::uint8_t>();
  Buffer<std::int16_t> byte_results = MakeBuffer<std::int16_t>();
};

using Call = void (*)(Images&, std::size_t side, ThreadPool*);

struct Filter {
  const char* name;
  bool bytes;         // u8 to i16, or f32 to f32
  double operations;  // multiply-adds a pixel, after folding
  Call scalar;
  Call simd;
};

template <class Kernel, class Policy, bool kBytes>
void CallCorrelate(Images& images, std::size_t side, ThreadPool* pool) {
  if constexpr (kBytes) {
    Correlate<Kernel, Policy>(Square(images.bytes, side),
                              Square(images.byte_results, side), pool);
  } else {
    Correlate<Kernel, Policy>(Square(images.floats, side),
                              Square(images.float_results, side), pool);
  }
}
template <class Kernel, class Policy, bool kBytes>
void CallMagnitude(Images& images, std::size_t side, ThreadPool* pool) {
  if constexpr (kBytes) {
    GradientMagnitude<Kernel, Policy>(Square(images.bytes, side),
                                      Square(images.byte_results, side), pool);
  } else {
    GradientMagnitude<Kernel, Policy>(Square(images.floats, side),
                                      Square(images.float_results, side), pool);
  }
}

template <class Kernel, bool kBytes>
Filter Correlation(const char* name) {
  return {name, kBytes, RowFactors<Kernel>::OperationsPerPixel(),
          CallCorrelate<Kernel, Scalar, kBytes>,
          CallCorrelate<Kernel, Simd, kBytes>};
}
template <class Kernel, bool kBytes>
Filter Magnitude(const char* name) {
  // Two kernels, two squares and their sum, and the root for one.
  return {name, kBytes,
          RowFactors<Kernel>::OperationsPerPixel() +
              RowFactors<Transposed<Kernel>>::OperationsPerPixel() + 3,
          CallMagnitude<Kernel, Scalar, kBytes>,
          CallMagnitude<Kernel, Simd, kBytes>};
}

template <bool kBytes>
void AppendFilters(std::vector<Filter>& filters) {
  const Filter all[] = {
      Correlation<Dense<3>, kBytes>("dense 3x3"),
      Correlation<Dense<5, 3>, kBytes>("dense 5x3"),
      Correlation<Dense<5>, kBytes>("dense 5x5"),
      Correlation<Dense<7>, kBytes>("dense 7x7"),
      Correlation<Dense<9>, kBytes>("dense 9x9"),
      Correlation<Dense<15>, kBytes>("dense 15x15"),
      Correlation<Sobel3x3, kBytes>("Sobel 3x3"),
      Correlation<Scharr3x3, kBytes>("Scharr 3x3"),
      Correlation<Sobel5x3, kBytes>("Sobel 5x3"),
      Correlation<Sobel5x5, kBytes>("Sobel 5x5"),
      Correlation<Neighbours8, kBytes>("neighbours 8"),
      Correlation<Box<7>, kBytes>("box 7x7"),
      Correlation<Box<9>, kBytes>("box 9x9"),
      Correlation<Box<15>, kBytes>("box 15x15"),
      Magnitude<Sobel3x3, kBytes>("|gradient| 3x3"),
      Magnitude<Sobel5x5, kBytes>("|gradient| 5x5"),
  };
  filters.insert(filters.end(), std::begin(all), std::end(all));
}

std::size_t BytesPerPixel(const Filter& filter) {
  return filter.bytes ? sizeof(std::uint8_t) + sizeof(std::int16_t)
                      : 2 * sizeof(float);
}

void RegisterAll(const std::vector<Filter>& filters, Images& images,
                 ThreadPool& pool) {
  const auto add = [&](const Filter& filter, Call call, const char* policy,
                       std::size_t side, ThreadPool* threads) {
    const std::string name = std::string("BM_Correlate/") +
                             (filter.bytes ? "u8/" : "f32/") + filter.name +
                             "/" + std::to_string(side) + "/" + policy;
    benchmark::RegisterBenchmark(
        name.c_str(),
        [&filter, call, side, threads, &images](benchmark::State& state) {
          for (auto _ : state) {
            call(images, side, threads);
            benchmark::ClobberMemory();
          }
          const auto pixels = static_cast<double>(state.iterations()) *
                              static_cast<double>(side * side);
          using benchmark::Counter;
          state.counters["pixel/s"] = Counter(pixels, Counter::kIsRate);
          state.counters["byte/s"] =
              Counter(pixels * static_cast<double>(BytesPerPixel(filter)),
                      Counter::kIsRate);
        });
  };
  for (const Filter& filter : filters) {
    for (const std::size_t side : kSides) {
      add(filter, filter.scalar, "scalar", side, nullptr);
      add(filter, filter.scalar, "scalar/all_threads", side, &pool);
      add(filter, filter.simd, "simd", side, nullptr);
      add(filter, filter.simd, "simd/all_threads", side, &pool);
    }
  }
}

// Seconds of one call: the mean of as many as fill a round.
double Time(const std::function<void()>& call) {
  const double once = Seconds(call);
  const int calls = std::max(1, static_cast<int>(kSecondsPerRound / once));
  return Seconds([&] {
           for (int i = 0; i < calls; ++i) {
             call();
             benchmark::ClobberMemory();
           }
         }) /
         calls;
}

struct Row {
  const Filter* filter;
  std::size_t side;
  // Seconds by one thread and by all, and what `one` is of the limit.
  std::vector<double> one, all, scalar, scalar_all, share;
};

double Median(const std::vector<double>& values) {
  return SpreadOf(values).median;
}

void Measure(Row& row, Images& images, ThreadPool& pool) {
  const Filter& filter = *row.filter;
  const std::size_t pixels = row.side * row.side;
  const double rate =
      filter.bytes ? ProbeByteMultiplyAdds() : ProbeFmaFlops() / 2;
  const int calls = row.side == kLargest ? 1 : row.side == 1000 ? 4 : 16;
  const double copy =
      filter.bytes ? ProbeCopy(images.bytes.get(), images.byte_results.get(),
                               pixels, calls)
                   : ProbeCopy(images.floats.get(), images.float_results.get(),
                               pixels, calls);
  const double limit =
      std::max(copy, filter.operations * static_cast<double>(pixels) / rate);
  row.one.push_back(Time([&] { filter.simd(images, row.side, nullptr); }));
  row.all.push_back(Time([&] { filter.simd(images, row.side, &pool); }));
  row.share.push_back(limit / row.one.back());
  if (row.scalar.size() < (row.side == kCourseSide ? 3 : 1)) {
    row.scalar.push_back(
        Seconds([&] { filter.scalar(images, row.side, nullptr); }));
    row.scalar_all.push_back(
        Seconds([&] { filter.scalar(images, row.side, &pool); }));
  }
}

// What students write first: taps and sizes at run time, a test for each pixel.
void Textbook(MatrixView<const float> in, const std::vector<float>& taps,
              std::size_t size, MatrixView<float> out) {
  const auto rows = static_cast<std::ptrdiff_t>(in.rows());
  const auto cols = static_cast<std::ptrdiff_t>(in.cols());
  const auto side = static_cast<std::ptrdiff_t>(size);
  for (std::ptrdiff_t y = 0; y < rows; ++y) {
    for (std::ptrdiff_t x = 0; x < cols; ++x) {
      float sum = 0;
      for (std::ptrdiff_t r = 0; r < side; ++r) {
        for (std::ptrdiff_t c = 0; c < side; ++c) {
          const std::ptrdiff_t i = y + r - side / 2;
          const std::ptrdiff_t j = x + c - side / 2;
          if (i < 0 || i >= rows || j < 0 || j >= cols) continue;
          sum += taps[static_cast<std::size_t>(r * side + c)] *
                 in(static_cast<std::size_t>(i), static_cast<std::size_t>(j));
        }
      }
      out(static_cast<std::size_t>(y), static_cast<std::size_t>(x)) = sum;
    }
  }
}

template <std::size_t Size>
double TextbookSeconds(Images& images) {
  std::vector<float> taps;
  for (const auto& row : Dense<Size>::kTaps.taps) {
    for (const int tap : row) taps.push_back(static_cast<float>(tap));
  }
  std::vector<double> seconds;
  for (int round = 0; round < 3; ++round) {
    seconds.push_back(Seconds([&] {
      Textbook(MatrixView<const float>(Square(images.floats, kCourseSide)),
               taps, Size, Square(images.float_results, kCourseSide));
      benchmark::ClobberMemory();
    }));
  }
  return SpreadOf(seconds).median;
}

void PrintTable(const std::vector<Filter>& filters, Images& images,
                ThreadPool& pool) {
  std::vector<Row> rows;
  for (const Filter& filter : filters) {
    for (const std::size_t side : kSides) {
      rows.push_back({&filter, side, {}, {}, {}, {}, {}});
    }
  }
  for (int round = 0; round < kRounds; ++round) {
    for (Row& row : rows) Measure(row, images, pool);
  }

  std::printf(
      "\n%s, SIMD target %s, %zu threads; medians [quartiles]\n"
      "%-16s %-7s %5s %9s %7s %10s %24s %9s %9s\n",
      CpuModel().c_str(), hwy::TargetName(HWY_STATIC_TARGET), pool.threads(),
      "kernel", "pixels", "side", "Mpx/s", "GB/s", "scalar", "% of the limit",
      "threads", "scalar's");
  for (const Row& row : rows) {
    const auto pixels = static_cast<double>(row.side * row.side);
    const double seconds = Median(row.one);
    const Spread share = SpreadOf(row.share);
    std::printf("%-16s %-7s %5zu %9.0f %7.1f ", row.filter->name,
                row.filter->bytes ? "u8-i16" : "f32", row.side,
                pixels / seconds / 1e6,
                pixels * static_cast<double>(BytesPerPixel(*row.filter)) /
                    seconds / 1e9);
    std::printf("%8.1f x ", Median(row.scalar) / seconds);
    std::printf("%8.0f [%3.0f ... %3.0f]", 100 * share.median, 100 * share.low,
                100 * share.high);
    std::printf("    %8.2f x %6.2f x\n", seconds / Median(row.all),
                Median(row.scalar) / Median(row.scalar_all));
  }

  // The course's table, of its kernels' sizes.
  std::printf(
      "\nA %zux%zu image of f32 on one core of %s; the reference is the loop "
      "that tests each pixel\n%-8s %14s %14s %14s %10s %10s\n",
      kCourseSide, kCourseSide, CpuModel().c_str(), "kernel", "reference",
      "scalar", "simd", "scalar", "simd");
  const std::pair<const char*, double> references[] = {
      {"dense 3x3", TextbookSeconds<3>(images)},
      {"dense 5x5", TextbookSeconds<5>(images)},
      {"dense 7x7", TextbookSeconds<7>(images)}};
  for (const auto& [name, reference] : references) {
    const auto row = std::ranges::find_if(rows, [&](const Row& r) {
      return r.side == kCourseSide && !r.filter->bytes &&
             std::string(r.filter->name) == name;
    });
    std::printf("%-8s %11.3f ms %11.3f ms %11.3f ms %8.1f x %8.1f x\n",
                name + 6, 1e3 * reference, 1e3 * Median(row->scalar),
                1e3 * Median(row->one), reference / Median(row->scalar),
                reference / Median(row->one));
  }
}

}  // namespace
}  // namespace hpcnn::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  std::vector<hpcnn::bench::Filter> filters;
  hpcnn::bench::AppendFilters<false>(filters);
  hpcnn::bench::AppendFilters<true>(filters);
  const auto images = std::make_unique<hpcnn::bench::Images>();
  hpcnn::ThreadPool pool(hpcnn::UsableCpus().count);
  hpcnn::bench::RegisterAll(filters, *images, pool);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  hpcnn::bench::PrintTable(filters, *images, pool);
  return 0;
}
