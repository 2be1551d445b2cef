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
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/roofline.h"
#include "benchmark/benchmark.h"
#include "hpcnn/hpcnn.h"

namespace hpcnn::bench {
namespace {

constexpr int kRounds = 7;
constexpr std::size_t kThreads[] = {1, 2, 4, 8};
// Long enough for the system to bring a thread to a processor of its own.
constexpr double kSecondsPerRound = 15e-3;
// Scalar takes no longer than this many multiply-adds.
constexpr double kMostScalar = 1e9;
// What the default run leaves to --full.
constexpr double kMostWork = 1e10;

template <class T>
using Buffer = std::unique_ptr<T[], void (*)(void*)>;

template <class T>
Buffer<T> MakeBuffer(std::size_t size) {
  const std::size_t bytes = (size * sizeof(T) + 63) / 64 * 64;
  Buffer<T> buffer(static_cast<T*>(std::aligned_alloc(64, bytes)), std::free);
  for (std::size_t i = 0; i < size; ++i) {
    buffer[i] = static_cast<T>(i * 2654435761u >> 7 & 0xFF);
  }
  return buffer;
}

// An op on buffers of its own, made when they are needed.
struct Op {
  std::string name;
  std::string type;
  double work;   // multiply-adds; of what is only moved: elements
  double bytes;  // read and written, of what is only moved; else 0
  bool scalar;   // is Scalar fast enough?
  bool threads;  // does it take any?
  std::function<std::function<void(bool simd, ThreadPool*)>()> make;
};

template <class T>
Op Max(std::size_t side, const char* type) {
  const std::size_t size = side * side;
  return {"max " + std::to_string(side) + "^2",
          type,
          static_cast<double>(size),
          3.0 * static_cast<double>(size * sizeof(T)),
          true,
          true,
          [size] {
            auto x = std::make_shared<Buffer<T>>(MakeBuffer<T>(size));
            auto y = std::make_shared<Buffer<T>>(MakeBuffer<T>(size));
            auto out = std::make_shared<Buffer<T>>(MakeBuffer<T>(size));
            return [=](bool simd, ThreadPool* pool) {
              const std::span<const T> a(x->get(), size);
              const std::span<const T> b(y->get(), size);
              const std::span<T> c(out->get(), size);
              simd ? ElementwiseMax<Simd>(a, b, c, pool)
                   : ElementwiseMax<Scalar>(a, b, c, pool);
            };
          }};
}

Op SaxpyOf(std::size_t size) {
  return {"saxpy " + std::to_string(size),
          "f32",
          static_cast<double>(size),
          12.0 * static_cast<double>(size),
          true,
          true,
          [size] {
            auto x = std::make_shared<Buffer<float>>(MakeBuffer<float>(size));
            auto y = std::make_shared<Buffer<float>>(MakeBuffer<float>(size));
            return [=](bool simd, ThreadPool* pool) {
              const std::span<const float> a(x->get(), size);
              const std::span<float> b(y->get(), size);
              simd ? Saxpy<Simd>(1e-3f, a, b, pool)
                   : Saxpy<Scalar>(1e-3f, a, b, pool);
            };
          }};
}

Op GramOf(std::size_t m, std::size_t k) {
  const double work = static_cast<double>(m * k) * static_cast<double>(m) / 2;
  return {"X X^T " + std::to_string(m) + "x" + std::to_string(k),
          "f32",
          work,
          0,
          true,
          true,
          [m, k] {
            auto x = std::make_shared<Buffer<float>>(MakeBuffer<float>(m * k));
            auto c = std::make_shared<Buffer<float>>(MakeBuffer<float>(m * m));
            return [=](bool simd, ThreadPool* pool) {
              const MatrixView<const float> in(x->get(), m, k);
              const MatrixView<float> out(c->get(), m, m);
              simd ? Gram<Simd>(in, out, pool) : Gram<Scalar>(in, out, pool);
            };
          }};
}

// "128x10x64": M x N x K.
std::string Times(std::size_t m, std::size_t n, std::size_t k) {
  return std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
}

template <class A = float, class B = A, class C = A>
Op GemmOf(std::size_t m, std::size_t n, std::size_t k,
          const char* type = "f32") {
  const double work = static_cast<double>(m * n) * static_cast<double>(k);
  return {"gemm " + Times(m, n, k),
          type,
          work,
          0,
          work <= kMostScalar,
          true,
          [m, n, k] {
            auto a = std::make_shared<Buffer<A>>(MakeBuffer<A>(m * k));
            auto b = std::make_shared<Buffer<B>>(MakeBuffer<B>(k * n));
            auto c = std::make_shared<Buffer<C>>(MakeBuffer<C>(m * n));
            return [=](bool simd, ThreadPool* pool) {
              const MatrixView<const A> left(a->get(), m, k);
              const MatrixView<const B> right(b->get(), k, n);
              const MatrixView<C> out(c->get(), m, n);
              simd ? Gemm<Simd>(left, right, out, Overwrite{}, KeepSums{}, pool)
                   : Gemm<Scalar>(left, right, out, Overwrite{}, KeepSums{},
                                  pool);
            };
          }};
}

template <std::size_t M, std::size_t N, std::size_t K>
Op GemmOfSizes() {
  return {"gemm<" + Times(M, N, K) + ">",
          "f32",
          static_cast<double>(M * N * K),
          0,
          true,
          false,
          [] {
            auto a = std::make_shared<Tensor<float, M, K>>();
            auto b = std::make_shared<Tensor<float, K, N>>();
            auto c = std::make_shared<Tensor<float, M, N>>();
            a->view()[0] = b->view()[0] = 1;
            return [=](bool simd, ThreadPool*) {
              simd ? Gemm<Simd>(a->view(), b->view(), c->view())
                   : Gemm<Scalar>(a->view(), b->view(), c->view());
            };
          }};
}

// kKernels of 5 x 5 on an image of as many channels and [Side, Side] pixels.
template <std::size_t Kernels, std::size_t Channels, std::size_t Side>
Op Conv2dOf() {
  constexpr std::size_t kOut = Side - 4;
  return {"conv2d " + Times(Channels, Side, Side) + " by " +
              std::to_string(Kernels),
          "f32",
          static_cast<double>(Kernels * Channels * 25 * kOut * kOut),
          0,
          true,
          false,
          [] {
            auto x = std::make_shared<Tensor<float, Channels, Side, Side>>();
            auto w = std::make_shared<Tensor<float, Kernels, Channels, 5, 5>>();
            auto y = std::make_shared<Tensor<float, Kernels, kOut, kOut>>();
            x->view()[0] = w->view()[0] = 1;
            return [=](bool simd, ThreadPool*) {
              simd ? Conv2d<Simd>(x->view(), w->view(), y->view())
                   : Conv2d<Scalar>(x->view(), w->view(), y->view());
            };
          }};
}

std::vector<Op> AllOps(bool full) {
  std::vector<Op> ops = {
      Max<std::int32_t>(1000, "i32"),
      Max<std::uint8_t>(1000, "u8"),
      GramOf(100, 100),
      GramOf(784, 128),
      GramOf(1000, 1000),
      GemmOf(16, 16, 16),
      GemmOfSizes<16, 16, 16>(),
      GemmOf(32, 32, 32),
      GemmOfSizes<32, 32, 32>(),
      GemmOf(64, 64, 64),
      GemmOf(128, 128, 784),
      GemmOf(784, 128, 128),
      GemmOf(8, 576, 25),
      GemmOfSizes<8, 576, 25>(),
      Conv2dOf<8, 1, 28>(),
      Conv2dOf<16, 8, 12>(),
      GemmOf(128, 10, 128),
      GemmOfSizes<128, 10, 128>(),
      GemmOf(256, 256, 256),
      GemmOf(512, 512, 512),
      GemmOf(1000, 1000, 1000),
      GemmOf<std::uint8_t, std::int8_t, std::int32_t>(1000, 1000, 1000, "u8i8"),
      GemmOf<std::int8_t, std::int8_t, std::int32_t>(1000, 1000, 1000, "i8"),
      GemmOf(2048, 2048, 2048),
      GemmOf(5000, 5000, 5000)};
  for (std::size_t size = 1000; size <= 100'000'000; size *= 10) {
    ops.push_back(SaxpyOf(size));
  }
  if (!full)
    std::erase_if(ops, [](const Op& op) { return op.work > kMostWork; });
  return ops;
}

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
      return op_.work / (op_.type == "f32" ? ProbeFmaFlops() / 2
                                           : ProbeByteMultiplyAdds());
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
      "[quartiles]\n%-22s %-4s %10s %9s %10s %24s %21s\n",
      hwy::TargetName(HWY_STATIC_TARGET), UsableCpus().count, "op", "type",
      "time", "Gop/s", "scalar", "% of one core's limit", "2, 4, 8 threads");
  for (const Row& row : rows) {
    const Op& op = *row.op;
    const double seconds = Median(row.threads[0]);
    const Spread share = SpreadOf(row.share);
    std::printf("%-22s %-4s %7.1f us %9.1f", op.name.c_str(), op.type.c_str(),
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
    std::printf("%-17s %-4s %9.3f ms %9.3f ms %9.3f ms %8.1f x %8.1f x\n",
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
