// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/ops/im2col.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/conv2d.h"
#include "hpcnn/ops/gemm.h"

namespace hpcnn {
namespace {

TEST(Im2ColTest, ByHand) {
  // 1 2 3    under a kernel of 2 x 2, with a column of zeros at each side
  // 4 5 6    and steps of two columns
  using G = ConvGeometry<Shape<1, 2, 3>, 1, 2, 3, Stride<1, 2>, Padding<0, 1>>;
  static_assert(G::kRows == 1 && G::kCols == 2 && G::kKernelSize == 6);
  const float x[] = {1, 2, 3, 4, 5, 6};
  std::vector<float> columns(12, 99);
  Im2Col<G>(MatrixView<const float>(x, 1, 6),
            MatrixView<float>(columns.data(), 2, 6));
  EXPECT_EQ(columns, (std::vector<float>{0, 1, 2, 0, 4, 5,  //
                                         2, 3, 0, 5, 6, 0}));
  std::vector<float> back(6, 99);
  Col2Im<G>(MatrixView<const float>(columns.data(), 2, 6),
            MatrixView<float>(back.data(), 1, 6));
  EXPECT_EQ(back, (std::vector<float>{1, 4, 3, 4, 10, 6}));
}

template <class G>
class Im2ColTypedTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kBatch = 3;

  Im2ColTypedTest()
      : x_(Random(kBatch * G::Input::kVolume, 1)),
        columns_(kBatch * G::kPixels * G::kKernelSize) {
    Im2Col<G>(X(), Columns());
  }

  static std::vector<double> Random(std::size_t size, std::uint64_t seed) {
    RandomStream stream({.seed = seed});
    std::vector<double> values(size);
    for (double& value : values) {
      value = static_cast<double>(stream.Below(17)) - 8;
    }
    return values;
  }
  MatrixView<const double> X() const {
    return {x_.data(), kBatch, G::Input::kVolume};
  }
  MatrixView<double> Columns() {
    return {columns_.data(), kBatch * G::kPixels, G::kKernelSize};
  }

  std::vector<double> x_;
  std::vector<double> columns_;
};

using Geometries = ::testing::Types<
    ConvGeometry<Shape<1, 1, 1>, 2, 1, 1>,
    ConvGeometry<Shape<2, 5, 7>, 3, 2, 3>,
    ConvGeometry<Shape<3, 6, 4>, 2, 3, 3, Stride<1>, Padding<1>>,
    ConvGeometry<Shape<2, 7, 9>, 4, 3, 3, Stride<2>, Padding<1>>,
    ConvGeometry<Shape<1, 4, 4>, 1, 2, 2, Stride<3, 2>, Padding<2, 3>>>;
TYPED_TEST_SUITE(Im2ColTypedTest, Geometries);

// <Im2Col x, c> == <x, Col2Im c>: exact, since all are small integers.
TYPED_TEST(Im2ColTypedTest, Col2ImIsItsTranspose) {
  const auto c = this->Random(this->columns_.size(), 2);
  std::vector<double> image(this->x_.size(), 99);
  Col2Im<TypeParam>(MatrixView<const double>(c.data(), this->Columns().rows(),
                                             TypeParam::kKernelSize),
                    MatrixView<double>(image.data(), this->kBatch,
                                       TypeParam::Input::kVolume));
  double left = 0;
  for (std::size_t i = 0; i < c.size(); ++i) left += this->columns_[i] * c[i];
  double right = 0;
  for (std::size_t i = 0; i < image.size(); ++i)
    right += this->x_[i] * image[i];
  EXPECT_EQ(left, right);
}

// The course's convolution: a matrix product and a bias.
TYPED_TEST(Im2ColTypedTest, TimesKernelsIsTheConvolution) {
  using G = TypeParam;
  const auto params = this->Random(G::kKernels * G::kParameterCols, 3);
  const MatrixView<const double> matrix(params.data(), G::kKernels,
                                        G::kParameterCols);
  std::vector<double> expected(this->kBatch * G::Output::kVolume, 99);
  Conv2dForward<G, Scalar>(
      this->X(), matrix,
      MatrixView<double>(expected.data(), this->kBatch, G::Output::kVolume),
      std::span<double>());
  std::vector<double> products(this->Columns().rows() * G::kKernels);
  Gemm<Scalar>(
      this->Columns(),
      Transpose(matrix.Region(0, 0, G::kKernels, G::kKernelSize)),
      MatrixView<double>(products.data(), this->Columns().rows(), G::kKernels));
  for (std::size_t n = 0; n < this->kBatch; ++n) {
    for (std::size_t o = 0; o < G::kKernels; ++o) {
      for (std::size_t i = 0; i < G::kPixels; ++i) {
        EXPECT_EQ(products[(n * G::kPixels + i) * G::kKernels + o] +
                      matrix(o, G::kKernelSize),
                  expected[(n * G::kKernels + o) * G::kPixels + i]);
      }
    }
  }
}

}  // namespace
}  // namespace hpcnn
