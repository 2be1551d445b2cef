// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/nn/sequential.h"

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/percent.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/dropout.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/softmax.h"

namespace hpcnn {
namespace {

// Shapes, sizes and offsets are constants.
using Net = Sequential<Input<1, 28, 28>, Flatten, Dense<128>, Relu, Dense<10>>;
static_assert(std::is_same_v<Net::InputShape, Shape<1, 28, 28>>);
static_assert(std::is_same_v<Net::OutputShape, Shape<10>>);
static_assert(std::is_same_v<Net::LayerAt<1>::Input, Shape<784>>);
static_assert(Net::kParameterCount == 784 * 128 + 128 + 128 * 10 + 10);
static_assert(Net::kParameterOffsets ==
              std::array<std::size_t, 5>{0, 0, 100480, 100480, 101770});
static_assert(Net::kParameters<0> == 0 && Net::kParameters<3> == 1290);
static_assert(Net::kForwardFlops == 2 * 784 * 128 + 128 + 2 * 128 * 10);
static_assert(Net::kFirstTrained == 1);
static_assert(std::string_view(Net::NodeAt<2>::kName) == "Relu");

// Flatten views the batch, Relu works in the memory of Dense.
static_assert(Net::kMemory.values ==
              std::array<std::size_t, 5>{kInBatch, kInBatch, 0, 0, 128});
static_assert(Net::kActivations == 128 + 10);
// The batch and its view have no gradient.
static_assert(Net::kMemory.gradients ==
              std::array<std::size_t, 5>{kNoGradient, kNoGradient, 10, 10, 0});
static_assert(Net::kGradients == 128 + 10);

// A layer must not overwrite the batch, ...
using ActsOnBatch = Sequential<Input<2, 3>, Relu, Flatten, Dense<4>>;
static_assert(ActsOnBatch::kMemory.values ==
              std::array<std::size_t, 4>{kInBatch, 0, 0, 6});
static_assert(ActsOnBatch::kActivations == 6 + 4);
static_assert(ActsOnBatch::kFirstTrained == 2);

// ... nor an output that the way back reads, not even behind a view.
using TwoInARow =
    Sequential<Input<3>, Dense<4>, Sigmoid, Flatten, Tanh, Softmax>;
static_assert(TwoInARow::kMemory.values ==
              std::array<std::size_t, 6>{kInBatch, 0, 0, 0, 4, 8});
static_assert(TwoInARow::kActivations == 12);
// Gradients may be overwritten all the same.
static_assert(TwoInARow::kGradients == 4);
// A view in between changes nothing.
static_assert(Sequential<Input<3>, Dense<4>, Flatten, Relu>::kActivations == 4);

// What is for training alone is not in Inference; parameters stay.
using Dropping = Sequential<Input<2, 3>, Dropout<Percent<20>>, Flatten,
                            Dense<4>, Relu, Dropout<Percent<50>>, Dense<2>>;
static_assert(
    std::is_same_v<Inference<Dropping>,
                   Sequential<Input<2, 3>, Flatten, Dense<4>, Relu, Dense<2>>>);
static_assert(std::is_same_v<Inference<Net>, Net>);
static_assert(Dropping::kParameters<5> == Inference<Dropping>::kParameters<3> &&
              Dropping::kParameterOffsets[5] ==
                  Inference<Dropping>::kParameterOffsets[3]);
// Dropout works in place, but neither on the batch nor on what Relu needs.
static_assert(Dropping::kActivations == 6 + 4 + 4 + 2);

static_assert(Sequential<Input<3>, Relu>::kParameterCount == 0);
static_assert(Sequential<Input<3>, Relu>::kFirstTrained == 1);

template <class T>
std::vector<T> Initialised(std::uint64_t seed) {
  std::vector<T> params(Net::kParameterCount);
  Net::Initialise(seed, std::span<T>(params));
  return params;
}

TEST(SequentialTest, InitialiseDependsOnTheSeedAlone) {
  const std::vector<float> params = Initialised<float>(1);
  EXPECT_EQ(Initialised<float>(1), params);
  EXPECT_NE(Initialised<float>(2), params);
  // double starts from the same values.
  const std::vector<double> doubles = Initialised<double>(1);
  EXPECT_TRUE(std::equal(params.begin(), params.end(), doubles.begin()));
}

// Two layers of one size differ: each has its own stream.
TEST(SequentialTest, LayersDrawIndependently) {
  using Twins = Sequential<Input<4>, Dense<4>, Dense<4>>;
  std::vector<float> params(Twins::kParameterCount);
  Twins::Initialise(1, std::span<float>(params));
  EXPECT_FALSE(
      std::equal(params.begin(), params.begin() + 16, params.begin() + 20));
}

TEST(SequentialTest, ForEachIndexCountsUpAndDown) {
  std::vector<std::size_t> seen;
  ForEachIndex<3>([&]<std::size_t I>() { seen.push_back(I); });
  ForEachIndexBackwards<3>([&]<std::size_t I>() { seen.push_back(I); });
  EXPECT_EQ(seen, (std::vector<std::size_t>{0, 1, 2, 2, 1, 0}));
}

}  // namespace
}  // namespace hpcnn
