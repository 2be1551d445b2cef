// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What this machine can do at most, measured in the process that compares
// itself with it: machines are shared, and a limit from another day is none.

#ifndef HPCNN_BENCH_ROOFLINE_H_
#define HPCNN_BENCH_ROOFLINE_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <type_traits>
#include <vector>

#include "hwy/cache_control.h"
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

// The processor's name, as Linux knows it.
inline std::string CpuModel() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown processor";
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

// Operations a second, of lanes in chain = step(chain), on one core. 12
// independent chains cover two ports with a latency of five cycles, and leave
// registers for operands where there are 16.
template <class D, class Step>
double ProbeLanes(D d, Step step) {
  namespace hn = hwy::HWY_NAMESPACE;
  constexpr std::size_t kChains = 12;
  constexpr std::size_t kSteps = 200'000;
  // GCC copies registers at the end of a turn, which takes time.
  constexpr std::size_t kUnrolled = 4;
  // Volatile: to the compiler each chain is another one, and needed.
  volatile hn::TFromD<D> start = 1;
  volatile hn::TFromD<D> sink;
  double best = 1e30;
  for (int round = 0; round < 5; ++round) {
    best = std::min(best, Seconds([&] {
                      hn::Vec<D> chains[kChains];
                      for (auto& chain : chains) chain = hn::Set(d, start);
                      for (std::size_t i = 0; i < kSteps; i += kUnrolled) {
                        for (std::size_t j = 0; j < kUnrolled; ++j) {
                          for (auto& chain : chains) chain = step(chain);
                        }
                      }
                      for (const auto& chain : chains)
                        sink = hn::GetLane(chain);
                    }));
  }
  return static_cast<double>(hn::Lanes(d) * kChains * kSteps) / best;
}

// One core's fused multiply-adds on float vectors, in FLOP/s (two a lane).
inline double ProbeFmaFlops() {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<float> d;
  const auto factor = hn::Set(d, 0.999f);
  const auto term = hn::Set(d, 1e-3f);
  return 2 * ProbeLanes(d, [factor, term](auto chain) {
           return hn::MulAdd(chain, factor, term);
         });
}

// One core's products of unsigned and signed bytes added to 32-bit sums, a
// second: four a lane, in one instruction where the processor has it.
inline double ProbeByteMultiplyAdds() {
#if HWY_TARGET == HWY_SCALAR
  return ProbeFmaFlops() / 2;
#else
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<std::int32_t> d;
  const hn::Repartition<std::uint8_t, decltype(d)> d_pixels;
  const auto taps = hn::Set(hn::Repartition<std::int8_t, decltype(d)>(), 3);
  // The pixels change, or the products would be taken out of the loop.
  return 4 * ProbeLanes(d, [d, d_pixels, taps](auto chain) {
           return hn::SumOfMulQuadAccumulate(d, hn::BitCast(d_pixels, chain),
                                             taps, chain);
         });
#endif
}

// to[i] = from[i], with stores through the cache or past it.
template <bool kStream, class In, class Out>
void CopyConverted(const In* from, Out* to, std::size_t n) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<Out> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i < n &&
         reinterpret_cast<std::uintptr_t>(to + i) % (lanes * sizeof(Out)) != 0;
       ++i) {
    to[i] = from[i];
  }
  for (; i + lanes <= n; i += lanes) {
    hn::Vec<decltype(d)> v;
    if constexpr (std::is_same_v<In, Out>) {
      v = hn::LoadU(d, from + i);
    } else {
      v = hn::PromoteTo(d, hn::LoadU(hn::Rebind<In, decltype(d)>(), from + i));
    }
    if constexpr (kStream) {
      hn::Stream(v, d, to + i);
    } else {
      hn::Store(v, d, to + i);
    }
  }
  for (; i < n; ++i) to[i] = from[i];
  if constexpr (kStream) hwy::FlushStream();
}

// Seconds in which one core reads n elements and writes as many, the mean of
// `calls`, by the best of our ways: no op on the same buffers takes less. Out
// is In, or wider.
template <class In, class Out>
double ProbeCopy(const In* from, Out* to, std::size_t n, int calls) {
  const auto mean = [&](auto copy) {
    copy(from, to, n);  // warms up
    return Seconds([&] {
             for (int call = 0; call < calls; ++call) {
               copy(from, to, n);
               asm volatile("" : : "r"(to) : "memory");
             }
           }) /
           calls;
  };
  double best = std::min(mean(CopyConverted<false, In, Out>),
                         mean(CopyConverted<true, In, Out>));
  if constexpr (std::is_same_v<In, Out>) {
    best = std::min(best, mean([](const In* a, Out* b, std::size_t count) {
                      std::memcpy(b, a, count * sizeof(In));
                    }));
  }
  return best;
}

}  // namespace hpcnn::bench

#endif  // HPCNN_BENCH_ROOFLINE_H_
