// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What this machine can do at most, measured in the process that compares
// itself with it: machines are shared, and a limit from another day is none.

#ifndef HPCNN_BENCH_ROOFLINE_H_
#define HPCNN_BENCH_ROOFLINE_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <vector>

#include "hwy/highway.h"

namespace hpcnn::bench {

// Seconds of one call of f.
template <class F>
double Seconds(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

struct Spread {
  double median = 0;
  double low = 0;  // quartiles
  double high = 0;
};

inline Spread SpreadOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return {values[n / 2], values[n / 4], values[n - 1 - n / 4]};
}

// One core's fused multiply-adds on float vectors, in FLOP/s (two a lane): 16
// independent chains cover two ports with a latency of four cycles twice over.
inline double ProbeFmaFlops() {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<float> d;
  constexpr std::size_t kChains = 16;
  constexpr std::size_t kSteps = 400'000;
  decltype(hn::Zero(d)) chains[kChains];
  for (auto& chain : chains) chain = hn::Set(d, 1.0f);
  const auto factor = hn::Set(d, 0.999f);
  const auto term = hn::Set(d, 1e-3f);
  double best = 1e30;
  for (int round = 0; round < 5; ++round) {
    best = std::min(best, Seconds([&] {
                      for (std::size_t i = 0; i < kSteps; ++i) {
                        for (auto& chain : chains)
                          chain = hn::MulAdd(chain, factor, term);
                      }
                    }));
  }
  float sum = 0;
  for (const auto& chain : chains) sum += hn::ReduceSum(d, chain);
  // The compiler must not see that the result is not needed.
  volatile float sink = sum;
  (void)sink;
  return 2.0 * static_cast<double>(hn::Lanes(d) * kChains * kSteps) / best;
}

// One core's memcpy between buffers of `bytes`, in bytes read and written a
// second.
inline double ProbeCopyBandwidth(std::size_t bytes) {
  std::vector<char> from(bytes, 1);
  std::vector<char> to(bytes);
  double best = 1e30;
  for (int round = 0; round < 9; ++round) {
    best = std::min(best, Seconds([&] {
                      std::memcpy(to.data(), from.data(), bytes);
                      asm volatile("" : : "r"(to.data()) : "memory");
                    }));
  }
  return 2.0 * static_cast<double>(bytes) / best;
}

}  // namespace hpcnn::bench

#endif  // HPCNN_BENCH_ROOFLINE_H_
