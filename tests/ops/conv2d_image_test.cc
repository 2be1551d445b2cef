// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/ops/conv2d_image.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/elementwise.h"
#include "hpcnn/ops/gemm_epilogue.h"
#include "tests/testing/guarded_vector.h"

namespace hpcnn {
namespace {

using hpcnn_test::GuardedVector;

template <class Element, std::size_t kO, std::size_t kC, std::size_t kP,
          std::size_t kQ, std::size_t kY, std::size_t kX>
struct Sizes {
  using T = Element;
  static constexpr std::size_t O = kO, C = kC, P = kP, Q = kQ, Y = kY, X = kX;
  static constexpr std::size_t Rows = kY - kP + 1, Cols = kX - kQ + 1;
};

template <class S>
class Conv2dImageTest : public ::testing::Test {
 protected:
  using T = typename S::T;

  void Fill(bool whole) {
    RandomStream stream({.seed = S::O * 1009 + S::X});
    const auto fill = [&](GuardedVector<T>& data, std::size_t size) {
      data = GuardedVector<T>(size);
      for (T& value : data) {
        value = whole ? static_cast<T>(stream.Below(9)) - T{4}
                      : T{stream.Uniform(-1, 1)};
      }
    };
    fill(x_, S::C * S::Y * S::X);
    fill(w_, S::O * S::C * S::P * S::Q);
    fill(y_, S::O * S::Rows * S::Cols);
  }

  template <class Policy, class Update = Overwrite, class Epilogue = KeepSums>
  GuardedVector<T> Run(const Update& update = {},
                       const Epilogue& epilogue = {}) const {
    GuardedVector<T> y = y_;
    Conv2dImage<Policy>(TensorView<const T, S::C, S::Y, S::X>(x_.data()),
                        TensorView<const T, S::O, S::C, S::P, S::Q>(w_.data()),
                        TensorView<T, S::O, S::Rows, S::Cols>(y.data()), update,
                        epilogue);
    return y;
  }

  GuardedVector<T> x_;
  GuardedVector<T> w_;
  GuardedVector<T> y_;
};

// One pixel, rows shorter than a vector, of one and a rest of more and of less
// than its half, of many; odd numbers of rows and of kernels.
using Cases = ::testing::Types<
    Sizes<float, 1, 1, 1, 1, 1, 1>, Sizes<float, 3, 2, 2, 3, 5, 4>,
    Sizes<float, 8, 1, 5, 5, 28, 28>, Sizes<float, 7, 3, 3, 3, 10, 31>,
    Sizes<float, 2, 1, 3, 5, 7, 66>, Sizes<float, 5, 2, 1, 1, 3, 100>,
    Sizes<float, 16, 8, 5, 5, 12, 12>, Sizes<float, 33, 1, 2, 1, 9, 16>,
    Sizes<float, 1, 4, 4, 4, 4, 20>, Sizes<double, 3, 2, 3, 3, 9, 15>,
    Sizes<double, 6, 1, 5, 5, 14, 43>>;
TYPED_TEST_SUITE(Conv2dImageTest, Cases);

TYPED_TEST(Conv2dImageTest, IsExactOnSmallIntegers) {
  this->Fill(true);
  EXPECT_EQ(this->template Run<Simd>(), this->template Run<Scalar>());
  EXPECT_EQ(this->template Run<Simd>(Accumulate{}),
            this->template Run<Scalar>(Accumulate{}));
}

// Against the definition, in double. (K + 1) eps |w| |x|: K products and sums.
TYPED_TEST(Conv2dImageTest, StaysWithinTheRoundingBound) {
  using S = TypeParam;
  using Element = typename S::T;
  this->Fill(false);
  const GuardedVector<Element> scalar = this->template Run<Scalar>();
  const GuardedVector<Element> simd = this->template Run<Simd>();
  std::size_t at = 0;
  for (std::size_t o = 0; o < S::O; ++o) {
    for (std::size_t i = 0; i < S::Rows; ++i) {
      for (std::size_t j = 0; j < S::Cols; ++j, ++at) {
        double sum = 0;
        double size = 0;
        for (std::size_t c = 0; c < S::C; ++c) {
          for (std::size_t p = 0; p < S::P; ++p) {
            for (std::size_t q = 0; q < S::Q; ++q) {
              const double term =
                  double{this->w_[((o * S::C + c) * S::P + p) * S::Q + q]} *
                  double{this->x_[(c * S::Y + i + p) * S::X + j + q]};
              sum += term;
              size += std::abs(term);
            }
          }
        }
        const double bound = static_cast<double>(S::C * S::P * S::Q + 1) *
                             double{std::numeric_limits<Element>::epsilon()} *
                             size;
        ASSERT_LE(std::abs(double{scalar[at]} - sum), bound) << at;
        ASSERT_LE(std::abs(double{simd[at]} - sum), bound) << at;
      }
    }
  }
}

TYPED_TEST(Conv2dImageTest, EpiloguesSeeEachSumOnce) {
  using S = TypeParam;
  using Element = typename S::T;
  this->Fill(true);
  std::vector<Element> bias(S::O);
  for (std::size_t o = 0; o < S::O; ++o)
    bias[o] = static_cast<Element>(o % 7) - Element{3};
  GuardedVector<Element> want = this->template Run<Scalar>();
  for (std::size_t i = 0; i < want.size(); ++i) {
    want[i] = std::max(Element{0}, want[i] + bias[i / (S::Rows * S::Cols)]);
  }
  const InOrder epilogue(AddRowBias<Element>{bias}, Activate<ReluFunction>{});
  EXPECT_EQ(this->template Run<Simd>(Overwrite{}, epilogue), want);
  EXPECT_EQ(this->template Run<Scalar>(Overwrite{}, epilogue), want);
}

TYPED_TEST(Conv2dImageTest, NanAndInfinityPassThrough) {
  using Element = typename TypeParam::T;
  this->Fill(true);
  this->x_.front() = std::numeric_limits<Element>::quiet_NaN();
  this->x_.back() = std::numeric_limits<Element>::infinity();
  const GuardedVector<Element> scalar = this->template Run<Scalar>();
  const GuardedVector<Element> simd = this->template Run<Simd>();
  for (std::size_t i = 0; i < scalar.size(); ++i) {
    EXPECT_TRUE(scalar[i] == simd[i] ||
                (std::isnan(scalar[i]) && std::isnan(simd[i])))
        << i << " " << scalar[i] << " " << simd[i];
  }
}

}  // namespace
}  // namespace hpcnn
