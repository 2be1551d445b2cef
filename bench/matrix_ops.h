// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What //bench:matrix measures.

#ifndef HPCNN_BENCH_MATRIX_OPS_H_
#define HPCNN_BENCH_MATRIX_OPS_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "hpcnn/hpcnn.h"

namespace hpcnn::bench {

// Scalar takes no longer than this many multiply-adds.
inline constexpr double kMostScalar = 1e9;
// What the default run leaves to --full.
inline constexpr double kMostWork = 1e10;

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

inline Op SaxpyOf(std::size_t size) {
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

inline Op GramOf(std::size_t m, std::size_t k) {
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
inline std::string Times(std::size_t m, std::size_t n, std::size_t k) {
  return std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
}

template <class A = float, class B = A, class C = A, class Precision = Strict>
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
              simd ? Gemm<Simd, Precision>(left, right, out, Overwrite{},
                                           KeepSums{}, pool)
                   : Gemm<Scalar>(left, right, out, Overwrite{}, KeepSums{},
                                  pool);
            };
          }};
}

// Of floats; Strict where the processor has no AMX.
template <class Precision>
Op GemmOfPrecision(std::size_t m, std::size_t n, std::size_t k) {
  return GemmOf<float, float, float, Precision>(
      m, n, k, std::is_same_v<Precision, Bf16> ? "bf16" : "bf16x3");
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
              simd ? Conv2dImage<Simd>(x->view(), w->view(), y->view())
                   : Conv2dImage<Scalar>(x->view(), w->view(), y->view());
            };
          }};
}

inline std::vector<Op> AllOps(bool full) {
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
      GemmOfPrecision<Bf16>(128, 128, 784),
      GemmOfPrecision<Bf16>(1024, 128, 784),
      GemmOf(256, 256, 256),
      GemmOf(512, 512, 512),
      GemmOf(1000, 1000, 1000),
      GemmOfPrecision<Bf16>(1000, 1000, 1000),
      GemmOfPrecision<Bf16x3>(1000, 1000, 1000),
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

}  // namespace hpcnn::bench

#endif  // HPCNN_BENCH_MATRIX_OPS_H_
