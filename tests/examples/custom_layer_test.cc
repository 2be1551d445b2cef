// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The user's layer and loss pass the checks that ours pass.

#include "examples/custom_layer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/hpcnn.h"
#include "hpcnn/nn/gradient_check.h"
#include "tests/nn/gradient_cases.h"

namespace hpcnn_test {

template <>
struct GradientCases<examples::PRelu> : AnyShapes {};

}  // namespace hpcnn_test

namespace examples {
namespace {

using hpcnn::Scalar;
using hpcnn::Simd;

static_assert(hpcnn::LayerDescription<PRelu>);
static_assert(hpcnn::BoundLayer<PRelu::On<hpcnn::Shape<2, 3>>>);
static_assert(hpcnn::Loss<Hinge>);
static_assert(hpcnn::Optimizer<Lion>);
static_assert(hpcnn::Dataset<Lines>);

TEST(PReluTest, GradientsAreThoseOfDifferences) {
  hpcnn_test::ExpectGradientsOfDifferences<PRelu>();
}

template <class P>
class CustomLayerTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(CustomLayerTest, Policies);

TYPED_TEST(CustomLayerTest, PReluBendsAtZero) {
  const std::vector<float> slopes{0.5f, -2};
  const std::vector<float> x{3, -3, -1, 0};
  std::vector<float> y(x.size());
  PRelu::On<hpcnn::Shape<2>>::Forward<TypeParam, float>(
      {slopes, {x.data(), 2, 2}, {y.data(), 2, 2}, {}});
  EXPECT_EQ(y, (std::vector<float>{3, 6, -0.5f, 0}));
}

TYPED_TEST(CustomLayerTest, HingeIsTheSumOfWhatIsMissing) {
  const std::vector<std::uint8_t> labels{9, 1, 0};  // from the second on
  const std::vector<float> x{0.5f, 1, -2, 3, 2, 1};
  std::vector<float> d_x(x.size());
  std::vector<float> losses(2);
  Hinge::Evaluate<TypeParam, float>({x.data(), 2, 3}, labels, 1, 0.5f,
                                    {d_x.data(), 2, 3}, losses);
  EXPECT_EQ(losses, (std::vector<float>{0.5f, 0}));
  EXPECT_EQ(d_x, (std::vector<float>{0.5f, -0.5f, 0, 0, 0, 0}));
}

TYPED_TEST(CustomLayerTest, HingeGradientIsThatOfDifferences) {
  const std::vector<std::uint8_t> labels{2, 0, 1, 2, 2, 0, 1};
  for (const std::size_t samples : {1u, 2u, 7u}) {
    const auto errors =
        hpcnn::CheckLossGradient<TypeParam, Hinge>(labels, samples, 3);
    EXPECT_LE(errors.input, hpcnn::kGradientTolerance) << samples;
  }
}

TYPED_TEST(CustomLayerTest, NetworkGradientsAreThoseOfDifferences) {
  using Net = hpcnn::Sequential<hpcnn::Input<2, 3>, PRelu, hpcnn::Flatten,
                                hpcnn::Dense<5>, PRelu, hpcnn::Dense<3>>;
  const std::vector<std::uint8_t> labels{2, 0, 1};
  const auto errors = hpcnn::CheckNetworkGradients<TypeParam, Net, Hinge>(
      labels, labels.size());
  EXPECT_LE(errors.parameters, hpcnn::kGradientTolerance);
}

TYPED_TEST(CustomLayerTest, LionStepsBySigns) {
  const Lion rule{.beta1 = 0.5f, .beta2 = 0.75f};
  std::vector<float> w{1, 1, 1};
  std::vector<float> m(3);
  std::vector<float> g{4, -8, 0};
  rule.Update<TypeParam, float>({.rate = 0.25f}, w, g, {m.data()});
  EXPECT_EQ(w, (std::vector<float>{0.75f, 1.25f, 1}));
  EXPECT_EQ(m, (std::vector<float>{1, -2, 0}));
  // Against the gradient, where the momentum is larger.
  g = {-0.5f, 4, 0};
  rule.Update<TypeParam, float>({.rate = 0.25f}, w, g, {m.data()});
  EXPECT_EQ(w, (std::vector<float>{0.5f, 1, 1}));
  EXPECT_EQ(m, (std::vector<float>{0.625f, -0.5f, 0}));
}

// A line has 8 of an image's pixels: those of its label's direction add up to
// more in one place than in any other.
TEST(LinesTest, HaveTheirLabelsDirection) {
  const Lines lines(400, 1);
  ASSERT_EQ(lines.size(), 400u);
  std::size_t right = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::array<std::array<int, 8>, 4> sums{};
    const auto image = lines.image(i);
    for (std::size_t y = 0; y < 8; ++y) {
      for (std::size_t x = 0; x < 8; ++x) {
        const int pixel = image(0, y, x);
        sums[0][y] += pixel;
        sums[1][x] += pixel;
        sums[2][(x + y) % 8] += pixel;
        sums[3][(y + 8 - x) % 8] += pixel;
      }
    }
    const auto brightest = [](const auto& places) {
      return *std::ranges::max_element(places);
    };
    right +=
        static_cast<std::size_t>(std::ranges::max_element(sums, {}, brightest) -
                                 sums.begin()) == lines.label(i);
  }
  EXPECT_GE(right, 360u);  // noise hides some
}

TEST(LinesTest, SeedChoosesTheImages) {
  const auto pixels = [](std::uint64_t seed) {
    const Lines lines(2, seed);
    const auto image = lines.image(1);
    return std::vector<int>(image.begin(), image.end());
  };
  EXPECT_EQ(pixels(1), pixels(1));
  EXPECT_NE(pixels(1), pixels(2));
}

// All of them in Fit, and what holds for ours: any number of threads gives the
// same weights.
TYPED_TEST(CustomLayerTest, TrainTheSameForAnyNumberOfThreads) {
  using Net = hpcnn::Sequential<hpcnn::Input<1, 8, 8>, hpcnn::Flatten,
                                hpcnn::Dense<16>, PRelu, hpcnn::Dense<4>>;
  const Lines lines(600, 1);
  std::vector<float> first;
  for (const std::size_t threads : {1u, 2u, 3u}) {
    hpcnn::ThreadPool pool(threads);
    hpcnn::Trainer<Net, Hinge, Lion, TypeParam> trainer(pool, 64, {}, 1);
    hpcnn::BatchLoader loader(lines, hpcnn::ShuffledSampler(lines.size(), 1),
                              hpcnn::Normalise<Lines::ImageShape>(),
                              {.epochs = 30}, &pool);
    const auto history = hpcnn::Fit(trainer, loader, lines, {.rate = 0.005f});
    EXPECT_LT(history.epochs.back().loss, 0.5 * history.epochs.front().loss);
    const auto weights = trainer.parameters();
    if (first.empty()) first.assign(weights.begin(), weights.end());
    EXPECT_TRUE(std::ranges::equal(weights, first)) << threads << " threads";
    const auto slopes =
        Net::Parameters<2>(std::span<const float>(trainer.parameters()));
    EXPECT_NE(std::ranges::min(slopes), std::ranges::max(slopes));
  }
}

}  // namespace
}  // namespace examples
