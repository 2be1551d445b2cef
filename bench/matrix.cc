// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// bazel run //bench:matrix [-- --full]
//
// Matrix maths by policy and number of threads, as a share of what one core can
// do at most: multiply-adds, or copies of as many bytes. gemm<...> has sizes
// that are part of types. Then the course's comparisons: the maximum of two
// matrices, X X^T, the product of two 5000 x 5000 matrices (with --full),
// saxpy. Each figure is the median of interleaved rounds.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/matrix_ops.h"
#include "bench/roofline.h"
#include "benchmark/benchmark.h"
#include "hpcnn/hpcnn.h"

namespace hpcnn::bench {
namespace {

constexpr int kRounds = 7;
constexpr std::size_t kThreads[] = {1, 2, 4, 8};
// Long enough for the system to bring a thread to a processor of its own.
constexpr double kSecondsPerRound = 15e-3;
// Seconds of one call: the mean of as many as fill a round, after one round
// that wakes threads and brings them to their processors.
double Time(const std::function<void()>& call) {
  const double once = Seconds(call);
  const int calls = static_cast<int>(kSecondsPerRound / once) + 1;
  const auto round = [&] {
    for (int i = 0; i < calls; ++i) {
      call();
      benchmark::ClobberMemory();
    }
  };
  round();
  return Seconds(round) / calls;
}

struct Row {
  const Op* op;
  std::vector<double> scalar, share, threads[std::size(kThreads)];
};

// Seconds that the op takes at least on one core: its multiply-adds, or a copy
// of as many bytes.
class Limit {
 public:
  explicit Limit(const Op& op)
      : op_(op),
        size_(static_cast<std::size_t>(op.bytes / 2 / sizeof(float))),
        from_(MakeBuffer<float>(size_)),
        to_(MakeBuffer<float>(size_)) {}

  double Probe() const {
    if (op_.bytes == 0) {
      return op_.work / (op_.type.ends_with("i8") ? ProbeByteMultiplyAdds()
                                                  : ProbeFmaFlops() / 2);
    }
    const auto calls =
        static_cast<int>(std::clamp(2e-3 * 50e9 / op_.bytes, 1.0, 1e5));
    return ProbeCopy(from_.get(), to_.get(), size_, calls);
  }

 private:
  const Op& op_;
  const std::size_t size_;
  const Buffer<float> from_;
  const Buffer<float> to_;
};

void Measure(Row& row, std::vector<std::unique_ptr<ThreadPool>>& pools,
             int rounds) {
  const Op& op = *row.op;
  const auto call = op.make();
  const Limit probe(op);
  for (int round = 0; round < rounds; ++round) {
    const double limit = probe.Probe();
    for (std::size_t i = 0; i < (op.threads ? std::size(kThreads) : 1); ++i) {
      ThreadPool* const pool = kThreads[i] == 1 ? nullptr : pools[i].get();
      row.threads[i].push_back(Time([&] { call(true, pool); }));
    }
    row.share.push_back(limit / row.threads[0].back());
    if (op.scalar && (round == 0 || op.work < kMostScalar / 100)) {
      row.scalar.push_back(Time([&] { call(false, nullptr); }));
    }
  }
}

double Median(const std::vector<double>& values) {
  return SpreadOf(values).median;
}

// A mean and a standard deviation, as in the course's slides.
std::string MeanAndDeviation(const std::vector<double>& seconds) {
  double mean = 0;
  for (const double s : seconds)
    mean += s / static_cast<double>(seconds.size());
  double variance = 0;
  for (const double s : seconds) {
    variance +=
        (s - mean) * (s - mean) / static_cast<double>(seconds.size() - 1);
  }
  char text[64];
  std::snprintf(text, sizeof(text), "%.3f s +- %.3f s", mean,
                std::sqrt(variance));
  return text;
}

void PrintTable(bool full) {
  std::vector<std::unique_ptr<ThreadPool>> pools;
  for (const std::size_t threads : kThreads) {
    pools.push_back(std::make_unique<ThreadPool>(threads));
  }
  const std::vector<Op> ops = AllOps(full);
  std::vector<Row> rows;
  for (const Op& op : ops) {
    rows.push_back({&op, {}, {}, {}});
    // The course repeats its largest product ten times.
    Measure(rows.back(), pools, op.work > kMostWork ? 10 : kRounds);
  }

  std::printf(
      "\nMatrix maths, SIMD target %s, %zu usable processors; medians "
      "[quartiles]\n%-22s %-6s %10s %9s %10s %24s %21s\n",
      hwy::TargetName(HWY_STATIC_TARGET), UsableCpus().count, "op", "type",
      "time", "Gop/s", "scalar", "% of one core's limit", "2, 4, 8 threads");
  for (const Row& row : rows) {
    const Op& op = *row.op;
    const double seconds = Median(row.threads[0]);
    const Spread share = SpreadOf(row.share);
    std::printf("%-22s %-6s %7.1f us %9.1f", op.name.c_str(), op.type.c_str(),
                1e6 * seconds,
                (op.bytes > 0 ? op.bytes : 2 * op.work) / seconds / 1e9);
    std::printf(op.bytes > 0 ? "*" : " ");
    if (row.scalar.empty()) {
      std::printf("%10s ", "");
    } else {
      std::printf("%8.1f x ", Median(row.scalar) / seconds);
    }
    std::printf("%8.0f [%3.0f ... %3.0f]     ", 100 * share.median,
                100 * share.low, 100 * share.high);
    for (std::size_t i = 1; i < std::size(kThreads) && op.threads; ++i) {
      std::printf(" %4.2f x", seconds / Median(row.threads[i]));
    }
    std::printf("\n");
  }
  std::printf(
      "Gop/s: 1e9 products and sums a second; * GB/s, read and written\n");

  std::printf(
      "\nThe course's comparisons, one core and two\n%-22s %12s %12s "
      "%12s %10s %10s\n",
      "", "trivial", "simd", "two threads", "speed-up", "of two");
  for (const Row& row : rows) {
    if (row.scalar.empty()) continue;
    const std::string& name = row.op->name;
    if (!name.starts_with("max") && !name.starts_with("X X") &&
        !name.starts_with("gemm 1000") && !name.starts_with("saxpy 1000000")) {
      continue;
    }
    const double trivial = Median(row.scalar);
    const double one = Median(row.threads[0]);
    const double many = Median(row.threads[1]);
    std::printf("%-15s %-6s %9.3f ms %9.3f ms %9.3f ms %8.1f x %8.1f x\n",
                name.c_str(), row.op->type.c_str(), 1e3 * trivial, 1e3 * one,
                1e3 * many, trivial / one, trivial / many);
  }
  for (const Row& row : rows) {
    if (row.op->work <= kMostWork) continue;
    std::printf("%s, ten times: %s on one core, %s on two\n",
                row.op->name.c_str(), MeanAndDeviation(row.threads[0]).c_str(),
                MeanAndDeviation(row.threads[1]).c_str());
  }
}

void RegisterAll(const std::vector<Op>& ops) {
  for (const Op& op : ops) {
    for (const bool simd : {false, true}) {
      if (!simd && !op.scalar) continue;
      const std::string name = "BM_Matrix/" + op.type + "/" + op.name + "/" +
                               (simd ? "simd" : "scalar");
      benchmark::RegisterBenchmark(
          name.c_str(), [&op, simd](benchmark::State& state) {
            const auto call = op.make();
            for (auto _ : state) {
              call(simd, nullptr);
              benchmark::ClobberMemory();
            }
            using benchmark::Counter;
            const auto calls = static_cast<double>(state.iterations());
            state.counters[op.bytes > 0 ? "byte/s" : "FLOP/s"] =
                Counter(calls * (op.bytes > 0 ? op.bytes : 2 * op.work),
                        Counter::kIsRate);
          });
    }
  }
}

}  // namespace
}  // namespace hpcnn::bench

int main(int argc, char** argv) {
  bool full = false;
  argc = static_cast<int>(std::remove_if(argv + 1, argv + argc,
                                         [&](const char* argument) {
                                           const bool is_full =
                                               std::strcmp(argument,
                                                           "--full") == 0;
                                           full |= is_full;
                                           return is_full;
                                         }) -
                          argv);
  bool listed = false;
  for (int i = 1; i < argc; ++i) {
    listed |= std::strncmp(argv[i], "--benchmark_", 12) == 0;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const std::vector<hpcnn::bench::Op> ops = hpcnn::bench::AllOps(full);
  // Its flags ask for its output alone: it times one by one what the table
  // interleaves.
  if (listed) {
    hpcnn::bench::RegisterAll(ops);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  }
  hpcnn::bench::PrintTable(full);
}
