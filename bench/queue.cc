// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// bazel run //bench:queue
//
// The MPSC ring alone: single items and bulks of 32, by the number of
// producers, as a share of what two cores can hand each other at all.
// bench/peers:queue has other people's queues beside it.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "bench/queue_harness.h"
#include "bench/roofline.h"
#include "benchmark/benchmark.h"

namespace hpcnn::bench {
namespace {

constexpr std::size_t kSingles = 1 << 20;
constexpr std::size_t kBulkItems = 1 << 23;
constexpr int kRounds = 9;

template <double (*Run)(std::size_t, std::size_t), std::size_t Items>
void BM_Ring(benchmark::State& state) {
  const auto producers = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    state.SetIterationTime(static_cast<double>(Items) / Run(producers, Items));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(Items) *
                          state.iterations());
}
BENCHMARK(BM_Ring<RingSingle, kSingles>)
    ->Name("single")
    ->ArgName("producers")
    ->Arg(1)
    ->Arg(2)
    ->Arg(8)
    ->Arg(32)
    ->UseManualTime();
BENCHMARK(BM_Ring<RingBulk, kBulkItems>)
    ->Name("bulk of 32")
    ->ArgName("producers")
    ->Arg(1)
    ->Arg(2)
    ->Arg(8)
    ->Arg(32)
    ->UseManualTime();

void PrintTable() {
  std::printf("\nM items/s, median [quartiles] of %d rounds; 8-byte items\n",
              kRounds);
  std::printf("%-10s %-24s %-24s %s\n", "producers", "single", "bulk of 32",
              "bulk, % of a bare hand-over");
  for (const std::size_t producers : {1u, 2u, 8u, 32u}) {
    std::vector<double> single, bulk, share;
    for (int round = 0; round < kRounds; ++round) {
      single.push_back(RingSingle(producers, kSingles) / 1e6);
      bulk.push_back(RingBulk(producers, kBulkItems) / 1e6);
      share.push_back(100 * 1e6 * bulk.back() / ProbeTransfer(kBulkItems));
    }
    const Spread s = SpreadOf(single), b = SpreadOf(bulk);
    std::printf(
        "%-10zu %6.1f [%.1f ... %.1f]    %6.1f [%.1f ... %.1f]    %.0f\n",
        producers, s.median, s.low, s.high, b.median, b.low, b.high,
        SpreadOf(share).median);
  }
}

}  // namespace
}  // namespace hpcnn::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  hpcnn::bench::PrintTable();
  return 0;
}
