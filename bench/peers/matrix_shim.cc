// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Loops of matrix products for matrix.py: small ones take less time than a call
// from Python. Each function returns the seconds of one product of `calls`.
// Matrices are row-major, without gaps.

#include <libxsmm.h>

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <span>

#include "bench/roofline.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/conv2d_image.h"
#include "hpcnn/ops/elementwise.h"
#include "hpcnn/ops/gemm.h"
#include "hpcnn/ops/gram.h"
#include "hwy/highway.h"

namespace hpcnn::bench {
namespace {

template <class F>
double Mean(int calls, const F& f) {
  return Seconds([&] {
           for (int i = 0; i < calls; ++i) {
             f();
             asm volatile("" : : : "memory");
           }
         }) /
         calls;
}

// What all products take.
struct Product {
  std::size_t m;
  std::size_t n;
  std::size_t k;
  const float* a;  // [m, k]
  const float* b;  // [k, n]
  float* c;        // [m, n]
};

constexpr int kRowMajor = 101;
constexpr int kNoTranspose = 111;
constexpr int kLower = 122;

template <class Int>
using CblasSgemm = void (*)(int, int, int, Int, Int, Int, float, const float*,
                            Int, const float*, Int, float, float*, Int);
template <class Int>
using CblasSsyrk = void (*)(int, int, int, Int, Int, float, const float*, Int,
                            float, float*, Int);

template <class Int>
double Sgemm(void* function, const Product& p, int calls) {
  const auto sgemm = reinterpret_cast<CblasSgemm<Int>>(function);
  const auto m = static_cast<Int>(p.m);
  const auto n = static_cast<Int>(p.n);
  const auto k = static_cast<Int>(p.k);
  return Mean(calls, [&] {
    sgemm(kRowMajor, kNoTranspose, kNoTranspose, m, n, k, 1, p.a, k, p.b, n, 0,
          p.c, n);
  });
}

// hpcnn, with sizes that are part of types.
template <std::size_t M, std::size_t N, std::size_t K>
double GemmOfSizes(const Product& p, int calls) {
  const TensorView<const float, M, K> a(p.a);
  const TensorView<const float, K, N> b(p.b);
  const TensorView<float, M, N> c(p.c);
  return Mean(calls, [&] { Gemm<Simd>(a, b, c); });
}

}  // namespace

extern "C" {

// Negative for sizes that are not among these.
double HpcnnGemmOfSizes(const Product* p, int calls) {
  const auto is = [p](std::size_t m, std::size_t n, std::size_t k) {
    return p->m == m && p->n == n && p->k == k;
  };
  if (is(16, 16, 16)) return GemmOfSizes<16, 16, 16>(*p, calls);
  if (is(32, 32, 32)) return GemmOfSizes<32, 32, 32>(*p, calls);
  if (is(8, 576, 25)) return GemmOfSizes<8, 576, 25>(*p, calls);
  if (is(128, 10, 128)) return GemmOfSizes<128, 10, 128>(*p, calls);
  return -1;
}

// 8 kernels of 5 x 5, a, over one image of 28 x 28.
double HpcnnConv2d(const float* image, const Product* p, int calls) {
  const TensorView<const float, 1, 28, 28> x(image);
  const TensorView<const float, 8, 1, 5, 5> w(p->a);
  const TensorView<float, 8, 24, 24> y(p->c);
  return Mean(calls, [&] { Conv2dImage<Simd>(x, w, y); });
}

// `parts`: 0 Strict, 1 Bf16, 2 Bf16x3.
double HpcnnGemm(const Product* p, int parts, int calls) {
  const MatrixView<const float> a(p->a, p->m, p->k);
  const MatrixView<const float> b(p->b, p->k, p->n);
  const MatrixView<float> c(p->c, p->m, p->n);
  if (parts == 1) return Mean(calls, [&] { Gemm<Simd, Bf16>(a, b, c); });
  if (parts == 2) return Mean(calls, [&] { Gemm<Simd, Bf16x3>(a, b, c); });
  return Mean(calls, [&] { Gemm<Simd>(a, b, c); });
}

// cblas_sgemm, with integers of 32 or of 64 bits.
double BlasGemm(void* function, int bits, const Product* p, int calls) {
  return bits == 64 ? Sgemm<std::int64_t>(function, *p, calls)
                    : Sgemm<std::int32_t>(function, *p, calls);
}

// dnnl_sgemm, whose matrices are row-major.
double DnnlGemm(void* function, const Product* p, int calls) {
  const auto sgemm = reinterpret_cast<int (*)(
      char, char, std::int64_t, std::int64_t, std::int64_t, float, const float*,
      std::int64_t, const float*, std::int64_t, float, float*, std::int64_t)>(
      function);
  const auto m = static_cast<std::int64_t>(p->m);
  const auto n = static_cast<std::int64_t>(p->n);
  const auto k = static_cast<std::int64_t>(p->k);
  return Mean(calls, [&] {
    sgemm('N', 'N', m, n, k, 1, p->a, k, p->b, n, 0, p->c, n);
  });
}

// Made for the shape; negative where the library makes none. Its matrices are
// column-major, that is, the transposed ones: C^T = B^T A^T.
double XsmmGemm(const Product* p, int calls) {
  const auto m = static_cast<libxsmm_blasint>(p->m);
  const auto n = static_cast<libxsmm_blasint>(p->n);
  const auto k = static_cast<libxsmm_blasint>(p->k);
  const float one = 1;
  const float zero = 0;
  const libxsmm_smmfunction kernel =
      libxsmm_smmdispatch(n, m, k, &n, &k, &n, &one, &zero, nullptr, nullptr);
  if (kernel == nullptr) return -1;
  return Mean(calls, [&] { kernel(p->b, p->a, p->c); });
}

double EigenGemm(const Product* p, int calls) {
  using Matrix =
      Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto index = [](std::size_t i) { return static_cast<Eigen::Index>(i); };
  const Eigen::Map<const Matrix> a(p->a, index(p->m), index(p->k));
  const Eigen::Map<const Matrix> b(p->b, index(p->k), index(p->n));
  Eigen::Map<Matrix> c(p->c, index(p->m), index(p->n));
  return Mean(calls, [&] { c.noalias() = a * b; });
}

// C = A A^T, n is not used.
double HpcnnGram(const Product* p, int calls) {
  const MatrixView<const float> a(p->a, p->m, p->k);
  const MatrixView<float> c(p->c, p->m, p->m);
  return Mean(calls, [&] { Gram<Simd>(a, c); });
}

// cblas_ssyrk: the lower half alone.
double BlasGram(void* function, const Product* p, int calls) {
  const auto ssyrk = reinterpret_cast<CblasSsyrk<std::int64_t>>(function);
  const auto m = static_cast<std::int64_t>(p->m);
  const auto k = static_cast<std::int64_t>(p->k);
  return Mean(calls, [&] {
    ssyrk(kRowMajor, kLower, kNoTranspose, m, k, 1, p->a, k, 0, p->c, m);
  });
}

double HpcnnMaxInts(const std::int32_t* x, const std::int32_t* y,
                    std::int32_t* out, std::size_t size, int calls) {
  const std::span<const std::int32_t> a(x, size);
  const std::span<const std::int32_t> b(y, size);
  const std::span<std::int32_t> c(out, size);
  return Mean(calls, [&] { ElementwiseMax<Simd>(a, b, c); });
}

double HpcnnMaxBytes(const std::uint8_t* x, const std::uint8_t* y,
                     std::uint8_t* out, std::size_t size, int calls) {
  const std::span<const std::uint8_t> a(x, size);
  const std::span<const std::uint8_t> b(y, size);
  const std::span<std::uint8_t> c(out, size);
  return Mean(calls, [&] { ElementwiseMax<Simd>(a, b, c); });
}

double FloatMultiplyAdds() { return ProbeFmaFlops() / 2; }

// Seconds to copy n floats.
double CopyFloats(const float* from, float* to, std::size_t n, int calls) {
  return ProbeCopy(from, to, n, calls);
}

const char* SimdTarget() { return hwy::TargetName(HWY_STATIC_TARGET); }

}  // extern "C"

}  // namespace hpcnn::bench
