// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/base/tensor.h"

#include <array>
#include <cstdint>
#include <numeric>
#include <span>
#include <type_traits>

#include "gtest/gtest.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/shape.h"

namespace hpcnn {
namespace {

static_assert(Shape<1, 28, 28>::kRank == 3);
static_assert(Shape<1, 28, 28>::kVolume == 784);
static_assert(Shape<>::kVolume == 1);
static_assert(Shape<2, 3>::kDims == std::array<std::size_t, 2>{2, 3});
static_assert(ShapeType<Shape<4>> && !ShapeType<int>);

static_assert(ExecutionPolicy<Scalar> && ExecutionPolicy<Simd> &&
              ExecutionPolicy<Cuda>);
static_assert(!ExecutionPolicy<int>);

// What writes may be read, not the other way round.
static_assert(
    std::is_convertible_v<TensorView<int, 2>, TensorView<const int, 2>>);
static_assert(
    !std::is_convertible_v<TensorView<const int, 2>, TensorView<int, 2>>);
static_assert(!std::is_convertible_v<TensorView<int, 2>, TensorView<int, 3>>);
static_assert(std::is_convertible_v<MatrixView<int>, MatrixView<const int>>);
static_assert(!std::is_convertible_v<MatrixView<const int>, MatrixView<int>>);

constexpr int SumOfCorners() {
  Tensor<int, 2, 3> t;
  std::iota(t.begin(), t.end(), 10);
  return t(0, 0) + t(0, 2) + t(1, 0) + t(1, 2);
}
static_assert(SumOfCorners() == 10 + 12 + 13 + 15);

TEST(TensorTest, IsRowMajorAlignedAndZero) {
  Tensor<float, 2, 3, 4> t;
  for (const float v : t) EXPECT_EQ(v, 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(t.data()) % 64, 0u);
  t(1, 2, 3) = 7;
  EXPECT_EQ(t[23], 7);
  t(0, 1, 0) = 5;
  EXPECT_EQ(t.data()[4], 5);
  const auto& read = t;
  EXPECT_EQ(read(1, 2, 3), 7);
}

TEST(TensorTest, ViewsShareAndReshape) {
  Tensor<int, 2, 6> t;
  const TensorView<int, 2, 6> view = t;
  const auto reshaped = view.Reshape<3, 4>();
  reshaped(2, 3) = 9;
  EXPECT_EQ(t(1, 5), 9);
  const TensorView<const int, 2, 6> read = view;
  EXPECT_EQ(read(1, 5), 9);
  EXPECT_EQ(std::accumulate(read.begin(), read.end(), 0), 9);
  std::array<int, 4> raw{1, 2, 3, 4};
  EXPECT_EQ((TensorView<int, 2, 2>(std::span(raw))(1, 0)), 3);
}

TEST(MatrixViewTest, StridesAndRows) {
  std::array<int, 12> raw{};
  std::iota(raw.begin(), raw.end(), 0);
  const MatrixView<int> m(raw.data(), 3, 2, 4);  // two of four columns
  EXPECT_EQ(m(2, 1), 9);
  const MatrixView<int> last = m.Rows(1, 2);
  EXPECT_EQ(last.rows(), 2u);
  EXPECT_EQ(last.stride(), 4u);
  EXPECT_EQ(last(0, 0), 4);
  EXPECT_EQ(*last.row(1), 8);
}

TEST(PartitionTest, CoversEverythingOnceAndEvenly) {
  for (std::size_t size = 0; size < 40; ++size) {
    for (std::size_t parts = 1; parts < 12; ++parts) {
      std::size_t next = 0;
      for (std::size_t part = 0; part < parts; ++part) {
        const IndexRange range = Partition(size, part, parts);
        ASSERT_EQ(range.begin, next);
        next = range.end;
        ASSERT_LE(range.size(), size / parts + 1);
        ASSERT_GE(range.size(), size / parts);
      }
      ASSERT_EQ(next, size);
    }
  }
}

}  // namespace
}  // namespace hpcnn
