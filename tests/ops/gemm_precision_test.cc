// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Gemm<Policy, Bf16> and <Policy, Bf16x3>: by whatever this processor has, and
// by AMX, emulated where it has none.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/threads.h"
#include "hpcnn/ops/gemm.h"
#include "hpcnn/ops/gemm_epilogue.h"
#include "tests/ops/amx_emulator.h"
#include "tests/ops/stored.h"

namespace hpcnn {
namespace {

using hpcnn_test::Stored;

enum class Values { kSmallIntegers, kReal };

void Fill(Stored<float>& matrix, RandomStream& stream, Values values) {
  for (float& value : matrix.data) {
    value = values == Values::kReal
                ? stream.Uniform(-1, 1) *
                      std::ldexp(1.0f, static_cast<int>(stream.Below(9)))
                : static_cast<float>(stream.Below(9)) - 4;
  }
}

struct Size {
  std::size_t m;
  std::size_t k;
  std::size_t n;
};

// Operands stored either way round.
struct Operands {
  Operands(Size size, bool transpose_a_in, bool transpose_b_in, Values values)
      : transpose_a(transpose_a_in),
        transpose_b(transpose_b_in),
        a(transpose_a ? size.k : size.m, transpose_a ? size.m : size.k, 3),
        b(transpose_b ? size.n : size.k, transpose_b ? size.k : size.n, 1),
        c(size.m, size.n, 2) {
    RandomStream stream({.seed = size.m * 10007 + size.k * 101 + size.n});
    for (auto* matrix : {&a, &b, &c}) Fill(*matrix, stream, values);
  }

  // f(a, b), transposed where they are.
  template <class F>
  void With(const F& f) const {
    if (transpose_a && transpose_b) {
      f(Transpose(a.view()), Transpose(b.view()));
    } else if (transpose_a) {
      f(Transpose(a.view()), b.view());
    } else if (transpose_b) {
      f(a.view(), Transpose(b.view()));
    } else {
      f(a.view(), b.view());
    }
  }
  float A(std::size_t m, std::size_t k) const {
    return transpose_a ? a.view()(k, m) : a.view()(m, k);
  }
  float B(std::size_t k, std::size_t n) const {
    return transpose_b ? b.view()(n, k) : b.view()(k, n);
  }

  // The largest |error| / sum over k of |a b| of this product.
  double Error(const Stored<float>& product) const {
    const std::size_t depth = transpose_a ? a.rows : a.cols;
    double worst = 0;
    for (std::size_t m = 0; m < c.rows; ++m) {
      for (std::size_t n = 0; n < c.cols; ++n) {
        double sum = 0, size = 0;
        for (std::size_t k = 0; k < depth; ++k) {
          const double term = double{A(m, k)} * double{B(k, n)};
          sum += term;
          size += std::abs(term);
        }
        const double error = std::abs(double{product.view()(m, n)} - sum);
        if (error != 0) worst = std::max(worst, error / size);
        if (std::isnan(error)) return error;
      }
    }
    return worst;
  }

  bool transpose_a;
  bool transpose_b;
  Stored<float> a;
  Stored<float> b;
  Stored<float> c;  // old values
};

// What gemm.h states.
template <class Precision>
double Bound(std::size_t depth) {
  const double sums = std::ldexp(static_cast<double>(depth), -24);
  if (std::is_same_v<Precision, Bf16>) {
    return std::ldexp(1, -7) + std::ldexp(1, -16) + 2 * sums;
  }
  return std::ldexp(1, -15) + 4 * sums;
}

template <class F>
void ForEachOrder(Size size, Values values, const F& f) {
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      SCOPED_TRACE(testing::Message()
                   << "M " << size.m << ", K " << size.k << ", N " << size.n
                   << ", transposes " << transpose_a << transpose_b);
      f(Operands(size, transpose_a, transpose_b, values));
    }
  }
}

template <class P>
class GemmPrecisionTest : public testing::Test {};
using Precisions = testing::Types<Bf16, Bf16x3>;
TYPED_TEST_SUITE(GemmPrecisionTest, Precisions);

// By what this processor has.
TYPED_TEST(GemmPrecisionTest, StaysWithinItsBound) {
  for (const Size size : {Size{1, 3, 2}, {33, 70, 40}, {64, 300, 48}}) {
    ForEachOrder(size, Values::kReal, [&](const Operands& operands) {
      Stored<float> scalar = operands.c;
      Stored<float> simd = operands.c;
      operands.With([&](auto a, auto b) {
        Gemm<Scalar, TypeParam>(a, b, scalar.view());
        Gemm<Simd, TypeParam>(a, b, simd.view());
      });
      EXPECT_LE(operands.Error(scalar), Bound<TypeParam>(size.k));
      EXPECT_LE(operands.Error(simd), Bound<TypeParam>(size.k));
    });
  }
}

TYPED_TEST(GemmPrecisionTest, NaNAndInfinityPassThrough) {
  const Size size{40, 70, 40};
  Operands operands(size, false, false, Values::kReal);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  operands.a.view()(1, 5) = kInfinity;
  operands.a.view()(2, 6) = std::numeric_limits<float>::quiet_NaN();
  // Finite, but not once rounded to eight bits.
  operands.a.view()(3, 7) = std::numeric_limits<float>::max();
  for (std::size_t n = 0; n < size.n; ++n) {
    operands.b.view()(5, n) = n % 2 == 0 ? 3 : -3;
    operands.b.view()(7, n) = 0.5f;
  }
  Stored<float> product = operands.c;
  Gemm<Simd, TypeParam>(operands.a.view(), operands.b.view(), product.view());
  for (std::size_t n = 0; n < size.n; ++n) {
    EXPECT_EQ(product.view()(1, n), n % 2 == 0 ? kInfinity : -kInfinity);
    EXPECT_TRUE(std::isnan(product.view()(2, n)));
    EXPECT_TRUE(std::isfinite(product.view()(3, n)));
  }
}

#if HWY_ARCH_X86_64 && HWY_TARGET <= HWY_AVX3 && defined(__linux__)

// The kernel itself, whether or not this processor would be asked for it.
template <class P>
class AmxGemmTest : public testing::Test {
 protected:
  using Kernel =
      internal::GemmKernelOf<Simd, P, float, internal::GemmSizes<0, 0, 0>>;

  AmxGemmTest() {
    if (!internal::HasAmxBf16()) emulator_.emplace();
  }

  template <class Update = Overwrite, class Epilogue = KeepSums>
  Stored<float> Run(const Operands& operands, const Update& update = {},
                    const Epilogue& epilogue = {}) const {
    const std::size_t before = hpcnn_test::AmxEmulator::products();
    Stored<float> product = operands.c;
    operands.With([&](auto a, auto b) {
      Kernel::Run(internal::AsOperand(a), internal::AsOperand(b),
                  product.view(), update, epilogue, 0, 0);
    });
    if (emulator_) {
      EXPECT_GT(hpcnn_test::AmxEmulator::products(), before);
    }
    for (std::size_t i = 0; i < product.data.size(); ++i) {
      if (i % product.stride >= product.cols) {
        EXPECT_EQ(product.data[i], operands.c.data[i]) << "between the rows";
      }
    }
    return product;
  }

 private:
  std::optional<hpcnn_test::AmxEmulator> emulator_;
};
TYPED_TEST_SUITE(AmxGemmTest, Precisions);

// One tile and less, several, and more than is packed at a time.
constexpr Size kSizes[] = {{1, 1, 1},    {16, 32, 16}, {17, 33, 31},
                           {32, 64, 32}, {33, 65, 49}, {5, 257, 7},
                           {3, 20, 259}, {70, 290, 12}};

TYPED_TEST(AmxGemmTest, IsExactOnSmallIntegers) {
  for (const Size size : kSizes) {
    ForEachOrder(size, Values::kSmallIntegers, [&](const Operands& operands) {
      const auto expect_same = [&](const auto& update) {
        Stored<float> scalar = operands.c;
        operands.With(
            [&](auto a, auto b) { Gemm<Scalar>(a, b, scalar.view(), update); });
        EXPECT_EQ(this->Run(operands, update).data, scalar.data);
      };
      expect_same(Overwrite{});
      expect_same(Accumulate{});
      expect_same(AlphaBeta<float>{0.5f, -2});
    });
  }
}

TYPED_TEST(AmxGemmTest, StaysWithinItsBound) {
  for (const Size size : kSizes) {
    ForEachOrder(size, Values::kReal, [&](const Operands& operands) {
      EXPECT_LE(operands.Error(this->Run(operands)), Bound<TypeParam>(size.k));
    });
  }
}

// Not better than its name says, or it would be another one.
TYPED_TEST(AmxGemmTest, IsAsExactAsItsName) {
  const Operands operands({32, 1000, 32}, false, false, Values::kReal);
  const double error = operands.Error(this->Run(operands));
  if (std::is_same_v<TypeParam, Bf16>) {
    EXPECT_LE(error, 0x1p-8);
    EXPECT_GE(error, 0x1p-14);
  } else {
    EXPECT_LE(error, 0x1p-17);
    EXPECT_GE(error, 0x1p-23);
  }
}

TYPED_TEST(AmxGemmTest, AddsABias) {
  const Operands operands({33, 40, 300}, false, true, Values::kSmallIntegers);
  std::vector<float> bias(300);
  for (std::size_t i = 0; i < bias.size(); ++i) {
    bias[i] = static_cast<float>(i);
  }
  const AddBias<float> epilogue{bias};
  Stored<float> scalar = operands.c;
  operands.With([&](auto a, auto b) {
    Gemm<Scalar>(a, b, scalar.view(), Overwrite{}, epilogue);
  });
  EXPECT_EQ(this->Run(operands, Overwrite{}, epilogue).data, scalar.data);
}

TEST(AmxGemm, WhatIsMultipliedHasABfloat16) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float bad :
       {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN(),
        std::numeric_limits<float>::max()}) {
    for (const std::size_t at : {0u, 18u, 36u}) {
      Stored<float> matrix(2, 19, 1);
      const auto all_have = [&] {
        const MatrixView<const float> view = std::as_const(matrix).view();
        return internal::AllHaveBf16(internal::AsOperand(view), 1) &&
               internal::AllHaveBf16(internal::AsOperand(Transpose(view)), 1);
      };
      matrix.data[19] = bad;  // between the rows
      EXPECT_TRUE(all_have());
      matrix.data[at] = bad;
      EXPECT_FALSE(all_have()) << bad << " at " << at;
    }
  }
  const Stored<float> ones = [] {
    Stored<float> matrix(1, 1, 0);
    matrix.data[0] = 1;
    return matrix;
  }();
  EXPECT_TRUE(internal::AllHaveBf16(internal::AsOperand(ones.view()), 3e38f));
  EXPECT_FALSE(
      internal::AllHaveBf16(internal::AsOperand(ones.view()), 3.4e38f));
}

// An element's sum does not depend on what is computed beside it, so not on how
// threads share rows or columns.
TYPED_TEST(AmxGemmTest, SharesGiveTheSameBits) {
  const Operands operands({40, 300, 300}, false, true, Values::kReal);
  std::vector<float> bias(300);
  for (std::size_t i = 0; i < bias.size(); ++i)
    bias[i] = 0.1f * static_cast<float>(i);
  const AddBias<float> epilogue{bias};
  const Stored<float> whole = this->Run(operands, Overwrite{}, epilogue);
  for (const bool by_rows : {false, true}) {
    Stored<float> product = operands.c;
    const MatrixView<float> c = product.view();
    operands.With([&](auto a, auto b) {
      Threads(3).ForShares(
          by_rows ? c.rows() : c.cols(), [&](IndexRange share) {
            const IndexRange rows = by_rows ? share : IndexRange{0, c.rows()};
            const IndexRange cols = by_rows ? IndexRange{0, c.cols()} : share;
            TestFixture::Kernel::Run(
                internal::AsOperand(a).Rows(rows),
                internal::AsOperand(b).Cols(cols),
                c.Region(rows.begin, cols.begin, rows.size(), cols.size()),
                Overwrite{}, epilogue, rows.begin, cols.begin);
          });
    });
    EXPECT_EQ(product.data, whole.data) << "shares of rows: " << by_rows;
  }
}

// An epilogue that itself has use for the tiles.
struct Calls {
  template <class Policy, class T>
  void Apply(MatrixView<T>, std::size_t, std::size_t) const {
    f();
  }
  std::function<void()> f;
};
TYPED_TEST(AmxGemmTest, EpiloguesMayMultiply) {
  const Operands operands({3, 40, 300}, false, false, Values::kReal);
  const Operands inner({33, 40, 35}, false, false, Values::kReal);
  const Stored<float> plain = this->Run(operands);
  const Calls epilogue{[&] { this->Run(inner); }};
  EXPECT_EQ(this->Run(operands, Overwrite{}, epilogue).data, plain.data);
}

#endif

}  // namespace
}  // namespace hpcnn
