// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// General matrix multiply.
//
//   Gemm<Simd>(a, b, c)                        // C = A B
//   Gemm<Simd>(Transpose(a), b, c)             // a is stored [K, M]
//   Gemm<Simd>(a, Transpose(b), c, Accumulate{})     // C += A B; b is [N, K]
//   Gemm<Simd>(a, b, c, AlphaBeta<float>{0.5f, 2})       // C = 0.5 A B + 2 C
//   Gemm<Simd>(a, b, c, Overwrite{}, AddBias<float>{b})  // gemm_epilogue.h
//   Gemm<Simd>(a, b, c, Overwrite{}, KeepSums{}, &pool)
//   Gemm<Simd>(bytes, weights, sums)  // uint8_t x int8_t -> int32_t
//   Gemm<Simd, Bf16x3>(a, b, c)       // floats, where AMX makes it fast
//
// Elements are float, double, or bytes, signed or not, whose products are
// summed in int32_t modulo 2^32: always exact up to K = 33025.
//
// Matrices are MatrixViews, or TensorViews of two dimensions, whose sizes are
// part of their types. Gemm<Simd> makes use of that: small products get tiles
// of their own, all steps of k unrolled, and B of few columns (a classifier's
// last layer) is multiplied along k.
//
// Every element of C is summed over k in an order that depends on types and
// sizes alone, in ascending order but for such a B: not on how threads share
// the rows or columns. C must not overlap A or B. Policies differ in rounding
// only: Simd fuses each multiply-add. NaN and infinity pass through as in the
// sum written out. Not for one sample at a time (M = 1), which has no use for
// tiles: see gemv.h.

#ifndef HPCNN_OPS_GEMM_H_
#define HPCNN_OPS_GEMM_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "hpcnn/base/check.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/threads.h"

HPCNN_NAMESPACE_BEGIN

// What happens to the old values of C.
struct Overwrite {
  static constexpr bool kKeepsOld = false;
};
struct Accumulate {
  static constexpr bool kKeepsOld = true;
};
// C = alpha A B + beta C; with beta = 0 the old values are not read. Simd
// multiplies B by alpha before anything else, with one rounding more; alpha B
// must neither overflow nor underflow.
template <class T>
struct AlphaBeta {
  T alpha;
  T beta;
};

// How exact products of floats are; sums are floats always. Anything but Strict
// is a permission. Without AMX (or compiled for less than AVX-512), for small
// products, and if an element is not finite or too large for bfloat16, all of it
// is Strict, so that one NaN changes the bits of other rows. AMX sums even and
// odd k apart, either sum may overflow, and needs 288 KiB of stack.
//
// The bounds are of |error| / (|old C| + sum over k of |a b|), with u = 2^-24;
// elements and products below 2^-100 may count as 0. The terms in K are the
// worst case: errors of real data cancel.
struct Strict {};  // K u
struct Bf16 {};    // 2^-7 + 2^-16 + 2 K u: elements are rounded to bfloat16
struct Bf16x3 {};  // 2^-15 + 4 K u: elements are split into two bfloat16, of
                   // whose four products the three largest are summed

template <class P>
concept GemmPrecision = std::is_same_v<P, Strict> || std::is_same_v<P, Bf16> ||
    std::is_same_v<P, Bf16x3>;

// What becomes of the sums: nothing more. Others are in gemm_epilogue.h.
struct KeepSums {
  template <class Policy, class T>
  void Apply(MatrixView<T>, std::size_t, std::size_t) const {}
};

// The transpose of a stored matrix, as an operand.
template <class View>
struct TransposedView {
  using Element = typename View::Element;

  View stored;
};
template <class T>
constexpr TransposedView<MatrixView<T>> Transpose(MatrixView<T> stored) {
  return {stored};
}
template <class T, std::size_t Rows, std::size_t Cols>
constexpr TransposedView<TensorView<T, Rows, Cols>> Transpose(
    TensorView<T, Rows, Cols> stored) {
  return {stored};
}

namespace internal {

// Element (r, c) of an operand is data[r * row_step + c * col_step].
template <class T>
struct Operand {
  const T* data;
  std::size_t rows;
  std::size_t cols;
  std::size_t row_step;
  std::size_t col_step;

  const T& operator()(std::size_t r, std::size_t c) const {
    return data[r * row_step + c * col_step];
  }
  Operand Rows(IndexRange range) const {
    return {data + range.begin * row_step, range.size(), cols, row_step,
            col_step};
  }
  Operand Cols(IndexRange range) const {
    return {data + range.begin * col_step, rows, range.size(), row_step,
            col_step};
  }
};

template <class T>
constexpr MatrixView<T> AsMatrix(MatrixView<T> m) {
  return m;
}
template <class T, std::size_t Rows, std::size_t Cols>
constexpr MatrixView<T> AsMatrix(TensorView<T, Rows, Cols> m) {
  return {m.data(), Rows, Cols};
}

template <class View>
Operand<std::remove_const_t<typename View::Element>> AsOperand(View view) {
  const auto m = AsMatrix(view);
  return {m.data(), m.rows(), m.cols(), m.stride(), 1};
}
template <class View>
Operand<std::remove_const_t<typename View::Element>> AsOperand(
    TransposedView<View> view) {
  const auto m = AsMatrix(view.stored);
  return {m.data(), m.cols(), m.rows(), 1, m.stride()};
}

// What the type of a matrix tells of its size; 0 where it tells nothing.
template <class View>
struct KnownSize {
  static constexpr std::size_t kRows = 0;
  static constexpr std::size_t kCols = 0;
};
template <class T, std::size_t Rows, std::size_t Cols>
struct KnownSize<TensorView<T, Rows, Cols>> {
  static constexpr std::size_t kRows = Rows;
  static constexpr std::size_t kCols = Cols;
};
template <class View>
struct KnownSize<TransposedView<View>> {
  static constexpr std::size_t kRows = KnownSize<View>::kCols;
  static constexpr std::size_t kCols = KnownSize<View>::kRows;
};

template <std::size_t First, std::size_t Second>
inline constexpr bool kMayBeEqual =
    First == 0 || Second == 0 || First == Second;

// The same for [M, K] x [K, N].
template <std::size_t M, std::size_t K, std::size_t N>
struct GemmSizes {};
template <class A, class B, class C>
using GemmSizesOf =
    GemmSizes<std::max(KnownSize<A>::kRows, KnownSize<C>::kRows),
              std::max(KnownSize<A>::kCols, KnownSize<B>::kRows),
              std::max(KnownSize<B>::kCols, KnownSize<C>::kCols)>;

template <class Policy>
struct GemmKernel {
  HPCNN_NO_KERNEL("Gemm", Policy, "hpcnn/ops/gemm_cuda.cuh");
};

// What threads share of C.
enum class GemmShares { kLongerSide, kRows, kNothing };

template <class T>
inline constexpr bool kIsByte =
    std::is_same_v<T, std::int8_t> || std::is_same_v<T, std::uint8_t>;

// Are these the element types of a product, A x B -> C?
template <class A, class B, class C>
constexpr bool AreMultiplied() {
  if (std::is_floating_point_v<C>) {
    return std::is_same_v<A, C> && std::is_same_v<B, C>;
  }
  return std::is_same_v<C, std::int32_t> && kIsByte<A> && kIsByte<B>;
}

// The kernel for some sizes: a backend that has one of its own specialises it.
template <class Policy, class T, class Sizes>
struct GemmKernelFor : GemmKernel<Policy> {
  static constexpr GemmShares kShares = GemmShares::kLongerSide;
};

// The same for a precision. Where there is a CanRun(a, b, update), it is asked,
// and no is answered by Strict.
template <class Policy, GemmPrecision Precision, class T, class Sizes>
struct GemmKernelOf : GemmKernelFor<Policy, T, Sizes> {};

// sum + a b, of integers modulo 2^32.
template <class T, class A, class B>
T AddProduct(T sum, A a, B b) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<std::uint32_t>(sum) +
                          static_cast<std::uint32_t>(a * b));
  } else {
    return sum + a * b;
  }
}

template <>
struct GemmKernel<Scalar> {
  template <class A, class B, class T, class Update, class Epilogue>
  static void Run(const Operand<A>& a, const Operand<B>& b, MatrixView<T> c,
                  const Update& update, const Epilogue& epilogue,
                  std::size_t row, std::size_t col) {
    for (std::size_t m = 0; m < c.rows(); ++m) {
      for (std::size_t n = 0; n < c.cols(); ++n) {
        const auto sum = [&](T start) {
          for (std::size_t k = 0; k < a.cols; ++k) {
            start = AddProduct(start, a(m, k), b(k, n));
          }
          return start;
        };
        T& out = c(m, n);
        if constexpr (std::is_same_v<Update, AlphaBeta<T>>) {
          const T old = update.beta == T{0} ? T{0} : update.beta * out;
          out = old + update.alpha * sum(T{0});
        } else {
          out = sum(Update::kKeepsOld ? out : T{0});
        }
      }
    }
    epilogue.template Apply<Scalar>(c, row, col);
  }
};

}  // namespace internal

// A, B and C are a MatrixView<T> or a TensorView<T, Rows, Cols>, A and B also
// its Transpose. `threads` share the rows of C, or the columns where there are
// more; of a product that is known to be small, nothing.
template <ExecutionPolicy Policy = DefaultPolicy,
          GemmPrecision Precision = Strict, class A, class B, class C,
          class Update = Overwrite, class Epilogue = KeepSums>
void Gemm(const A& a, const B& b, C c, const Update& update = {},
          const Epilogue& epilogue = {}, Threads threads = {}) {
  using T = typename C::Element;
  using internal::KnownSize;
  using Kernel = internal::GemmKernelOf<Policy, Precision, T,
                                        internal::GemmSizesOf<A, B, C>>;
  static_assert(
      internal::kMayBeEqual<KnownSize<A>::kCols, KnownSize<B>::kRows> &&
          internal::kMayBeEqual<KnownSize<A>::kRows, KnownSize<C>::kRows> &&
          internal::kMayBeEqual<KnownSize<B>::kCols, KnownSize<C>::kCols>,
      "hpcnn: Gemm needs [M, K] x [K, N] -> [M, N]");
  static_assert(
      internal::AreMultiplied<std::remove_const_t<typename A::Element>,
                              std::remove_const_t<typename B::Element>, T>(),
      "hpcnn: Gemm multiplies float by float, double by double, or int8_t and "
      "uint8_t into int32_t");
  static_assert(
      std::is_same_v<Update, Overwrite> || std::is_same_v<Update, Accumulate> ||
          (std::is_same_v<Update, AlphaBeta<T>> && std::is_floating_point_v<T>),
      "hpcnn: Gemm's update is Overwrite, Accumulate or AlphaBeta of "
      "C's element type, a floating-point one");
  static_assert(std::is_same_v<Precision, Strict> || std::is_same_v<T, float>,
                "hpcnn: Gemm's precision is a choice for float alone");
  const auto left = internal::AsOperand(a);
  const auto right = internal::AsOperand(b);
  const MatrixView<T> out = internal::AsMatrix(c);
  HPCNN_CHECK(left.cols == right.rows && left.rows == out.rows() &&
                  right.cols == out.cols(),
              "Gemm needs [M, K] x [K, N] -> [M, N]");
  if (out.rows() * out.cols() == 0) return;
  if constexpr (requires { Kernel::CanRun(left, right, update); }) {
    if (!Kernel::CanRun(left, right, update)) {
      return Gemm<Policy>(a, b, c, update, epilogue, threads);
    }
  }
  if constexpr (Kernel::kShares == internal::GemmShares::kNothing) {
    Kernel::Run(left, right, out, update, epilogue, 0, 0);
  } else {
    const bool by_rows = Kernel::kShares == internal::GemmShares::kRows ||
                         out.rows() >= out.cols();
    threads.ForShares(by_rows ? out.rows() : out.cols(), [&](IndexRange share) {
      const IndexRange rows = by_rows ? share : IndexRange{0, out.rows()};
      const IndexRange cols = by_rows ? IndexRange{0, out.cols()} : share;
      Kernel::Run(left.Rows(rows), right.Cols(cols),
                  out.Region(rows.begin, cols.begin, rows.size(), cols.size()),
                  update, epilogue, rows.begin, cols.begin);
    });
  }
}

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/ops/gemm_simd-inl.h"
#endif

#endif  // HPCNN_OPS_GEMM_H_
