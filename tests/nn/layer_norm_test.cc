// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/nn/layer_norm.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"

namespace hpcnn {
namespace {

template <class P>
class LayerNormTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(LayerNormTest, Policies);

// Gains and shifts of [2, 3]; two samples, the second with a small variance.
using Layer = LayerNorm::On<Shape<2, 3>>;
static_assert(Layer::kParameterRows == 2 && Layer::kRowSize == 6);
using Values = std::array<double, 12>;
constexpr Values kParams = {1, 2, -1, 0.5, 3, 0, 0, 1, 2, -1, 0.5, 7};
constexpr Values kX = {1,   2,   4,  -3,  0.5, 0.5,  //
                       100, 101, 99, 100, 100, 100.25};
constexpr Values kGradient = {1, -2, 3, 0.5, 0, 1, 2, 1, 0, -1, 4, -3};  // d_y

MatrixView<const double> Two(const Values& values) {
  return {values.data(), 2, 6};
}

void ExpectNear(const Values& got, const Values& expected) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], expected[i], 1e-12) << i;
  }
}

// What torch.nn.functional.layer_norm(x, (6,), gain, shift) of PyTorch 2 gives
// in double, and its gradients.
TYPED_TEST(LayerNormTest, AgreesWithPyTorch) {
  std::array<double, Layer::kScratch> scratch;
  Values y, d_x, d_params;
  Layer::Forward<TypeParam>(
      ForwardPass<double>{kParams, Two(kX), {y.data(), 2, 6}, scratch});
  ExpectNear(y, {0.07955563778461949, 2.1137789289846736, 0.4884428820922284,
                 -1.914889834523125, 0.02266617329228246, 7.0,  //
                 -0.07124600842951943, 4.277316387757505, 3.7811502107377915,
                 -1.0356230042147596, 0.2862619747114417, 7.0});
  Layer::BackwardInput<TypeParam>(BackwardPass<double>{kParams,
                                                       Two(kX),
                                                       {nullptr, 2, 6},
                                                       Two(kGradient),
                                                       {d_x.data(), 2, 6},
                                                       scratch});
  ExpectNear(d_x,
             {0.9799692643653699, -1.1355567467966752, -0.11593667533587454,
              -0.4626035951715844, 0.3670638764693819, 0.3670638764693819,  //
              -0.9504303601624429, -2.078760548579595, -3.241908576361851,
              -5.225190865933129, 16.148611662920274, -4.65232131188327});
  Layer::BackwardParameters<TypeParam>(ParameterPass<double>{
      Two(kX), Two(kGradient), {0, 2}, d_params, scratch});
  ExpectNear(d_params,
             {-0.06293637907439853, 0.5248792648940894, 4.534671353723315,
              -0.8436438260936159, -0.28498403371803605, -1.2278014020119161, 3,
              -1, 3, -0.5, 4, -2});
}

TEST(LayerNormInitTest, GainsAreOneAndShiftsZero) {
  std::array<double, 12> params;
  params.fill(9);
  RandomStream stream({.seed = 1});
  Layer::Initialise(std::span<double>(params), stream);
  EXPECT_EQ(params, (Values{1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0}));
}

}  // namespace
}  // namespace hpcnn
