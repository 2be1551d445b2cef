// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Simd against Scalar, which is the sum written out: exact on small integers,
// over strides, paddings and rows of all lengths to two vectors and more.

#include "hpcnn/ops/conv2d.h"

#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"
#include "tests/testing/guarded_vector.h"

namespace hpcnn {
namespace {

using hpcnn_test::GuardedVector;

template <class Element, class G>
struct Case {
  using T = Element;
  using Geometry = G;
};

template <class C>
class Conv2dTest : public ::testing::Test {};

// Widths around the vectors of each target; kernels of one tap, wider than a
// tile, higher than wide; no padding, some, the most that is direct, more.
using Cases = ::testing::Types<
    Case<float, ConvGeometry<Shape<1, 28, 28>, 8, 5, 5>>,
    Case<float, ConvGeometry<Shape<8, 12, 12>, 16, 5, 5>>,
    Case<float, ConvGeometry<Shape<2, 1, 1>, 3, 1, 1>>,
    Case<float, ConvGeometry<Shape<3, 4, 7>, 5, 1, 1>>,
    Case<float, ConvGeometry<Shape<2, 5, 8>, 7, 2, 3>>,
    Case<float, ConvGeometry<Shape<1, 9, 17>, 1, 3, 2>>,
    Case<float, ConvGeometry<Shape<2, 3, 35>, 4, 3, 3>>,
    Case<float, ConvGeometry<Shape<1, 12, 36>, 2, 1, 11>>,
    Case<float, ConvGeometry<Shape<1, 20, 5>, 3, 13, 1>>,
    Case<float, ConvGeometry<Shape<3, 14, 14>, 4, 3, 3, Stride<1>, Padding<1>>>,
    Case<float,
         ConvGeometry<Shape<2, 6, 9>, 5, 5, 3, Stride<1>, Padding<4, 2>>>,
    Case<float,
         ConvGeometry<Shape<2, 4, 4>, 3, 2, 2, Stride<1>, Padding<2, 3>>>,
    Case<float, ConvGeometry<Shape<3, 7, 9>, 4, 3, 3, Stride<2>, Padding<1>>>,
    Case<float, ConvGeometry<Shape<1, 10, 13>, 2, 4, 3, Stride<3, 2>>>,
    Case<double, ConvGeometry<Shape<2, 7, 11>, 5, 3, 3>>,
    Case<double,
         ConvGeometry<Shape<1, 8, 19>, 3, 3, 5, Stride<1>, Padding<1, 2>>>,
    Case<double, ConvGeometry<Shape<2, 5, 5>, 3, 1, 1, Stride<2>>>>;
TYPED_TEST_SUITE(Conv2dTest, Cases);

template <class C>
struct Data {
  using T = typename C::T;
  using G = typename C::Geometry;

  explicit Data(std::size_t n)
      : batch(n),
        x(n * G::Input::kVolume),
        d_y(n * G::Output::kVolume),
        params(G::kKernels * G::kParameterCols) {
    RandomStream stream({.seed = G::kInCols * 31 + G::kKernels});
    for (auto* values : {&x, &d_y, &params}) {
      for (T& value : *values) {
        value = static_cast<T>(stream.Below(9)) - T{4};
      }
    }
  }
  MatrixView<const T> X() const { return {x.data(), batch, G::Input::kVolume}; }
  MatrixView<const T> DY() const {
    return {d_y.data(), batch, G::Output::kVolume};
  }
  MatrixView<const T> Params() const {
    return {params.data(), G::kKernels, G::kParameterCols};
  }

  std::size_t batch;
  GuardedVector<T> x, d_y, params;
};

template <class P, class C>
GuardedVector<typename C::T> Scratch() {
  using T = typename C::T;
  return GuardedVector<T>(kConvScratch<typename C::Geometry, P, T>, T{99});
}

template <class P, class C>
GuardedVector<typename C::T> Forward(const Data<C>& data) {
  using G = typename C::Geometry;
  using T = typename C::T;
  GuardedVector<T> y(data.d_y.size(), T{99});
  auto scratch = Scratch<P, C>();
  Conv2dForward<G, P>(data.X(), data.Params(),
                      MatrixView<T>(y.data(), data.batch, G::Output::kVolume),
                      std::span<T>(scratch));
  return y;
}

template <class P, class C>
GuardedVector<typename C::T> BackwardInput(const Data<C>& data) {
  using G = typename C::Geometry;
  using T = typename C::T;
  GuardedVector<T> d_x(data.x.size(), T{99});
  auto scratch = Scratch<P, C>();
  Conv2dBackwardInput<G, P>(
      data.Params(), data.DY(),
      MatrixView<T>(d_x.data(), data.batch, G::Input::kVolume),
      std::span<T>(scratch));
  return d_x;
}

// In `parts` parts, as threads share it.
template <class P, class C>
GuardedVector<typename C::T> BackwardParameters(const Data<C>& data,
                                                std::size_t parts) {
  using G = typename C::Geometry;
  using T = typename C::T;
  GuardedVector<T> d_params(data.params.size(), T{99});
  auto scratch = Scratch<P, C>();
  for (std::size_t part = 0; part < parts; ++part) {
    const IndexRange kernels = Partition(G::kKernels, part, parts);
    Conv2dBackwardParameters<G, P>(
        data.X(), data.DY(), kernels,
        MatrixView<T>(d_params.data() + kernels.begin * G::kParameterCols,
                      kernels.size(), G::kParameterCols),
        std::span<T>(scratch));
  }
  return d_params;
}

TYPED_TEST(Conv2dTest, SimdEqualsScalarOnSmallIntegers) {
  for (const std::size_t batch : {1u, 3u, 19u}) {
    SCOPED_TRACE(batch);
    const Data<TypeParam> data(batch);
    EXPECT_EQ(Forward<Simd>(data), Forward<Scalar>(data));
    EXPECT_EQ(BackwardInput<Simd>(data), BackwardInput<Scalar>(data));
    const auto expected = BackwardParameters<Scalar>(data, 1);
    for (const std::size_t parts : {1u, 2u, 3u}) {
      EXPECT_EQ(BackwardParameters<Simd>(data, parts), expected) << parts;
      EXPECT_EQ(BackwardParameters<Scalar>(data, parts), expected) << parts;
    }
  }
}

// The course's example: a 3x3 of ones sums all neighbours, zeros beyond.
TEST(Conv2dByHandTest, SumsNeighboursAndBias) {
  using G = ConvGeometry<Shape<1, 2, 3>, 1, 3, 3, Stride<1>, Padding<1>>;
  static_assert(std::is_same_v<G::Output, Shape<1, 2, 3>>);
  const float x[] = {1, 2, 3, 4, 5, 6};
  const float params[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, /*bias=*/100};
  float y[6];
  float scratch[kConvScratch<G, Simd, float>];
  const auto check = [&]<class P>(P) {
    Conv2dForward<G, P>(MatrixView<const float>(x, 1, 6),
                        MatrixView<const float>(params, 1, 10),
                        MatrixView<float>(y, 1, 6), std::span<float>(scratch));
    EXPECT_EQ(std::vector<float>(y, y + 6),
              (std::vector<float>{112, 121, 116, 112, 121, 116}));
  };
  check(Scalar());
  check(Simd());
}

// OpY = (InY - KnY + 2 Py) / Sy + 1.
using Course =
    ConvGeometry<Shape<3, 33, 20>, 4, 5, 2, Stride<4, 3>, Padding<2, 0>>;
static_assert(Course::kRows == (33 - 5 + 2 * 2) / 4 + 1);
static_assert(Course::kCols == (20 - 2) / 3 + 1);

}  // namespace
}  // namespace hpcnn
