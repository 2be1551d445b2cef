// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Optimizers against plain loops in double and against PyTorch.

#include "hpcnn/optim/optimizer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/optim/adam.h"
#include "hpcnn/optim/clip.h"
#include "hpcnn/optim/momentum.h"
#include "hpcnn/optim/nesterov.h"
#include "hpcnn/optim/rms_prop.h"
#include "hpcnn/optim/sgd.h"
#include "tests/optim/fixtures.h"

namespace hpcnn {
namespace {

static_assert(Optimizer<Sgd> && Optimizer<Momentum> && Optimizer<Nesterov> &&
              Optimizer<RmsProp> && Optimizer<Adam> && Optimizer<AdamW>);
static_assert(Sgd::kStates == 0 && Momentum::kStates == 1 &&
              Nesterov::kStates == 1 && RmsProp::kStates == 1 &&
              Adam::kStates == 2 && AdamW::kStates == 2);
static_assert(Optimizer<ClipByNorm<ClipByValue<Adam>>>);
static_assert(internal::NeedsNorm<ClipByNorm<Sgd>>() &&
              !internal::NeedsNorm<ClipByValue<Sgd>>());

template <class P>
class OptimizerTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(OptimizerTest, Policies);

constexpr std::size_t kSize = 37;
constexpr std::size_t kSteps = 10;

double Rate(std::size_t step) { return 0.1 / static_cast<double>(1 + step); }

// Of both signs, and 0, where L1 has its kink.
template <class T>
std::vector<T> Start() {
  std::vector<T> w(kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    w[i] = static_cast<T>(i % 7) / 2 - T{1.5f};
  }
  return w;
}

// Multiples of 1/128 in [-1, 1).
template <class T>
std::vector<T> Gradient(std::size_t step) {
  std::vector<T> g(kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    const auto place = static_cast<std::uint32_t>(i + kSize * step);
    g[i] = static_cast<T>(place * 2654435761u >> 13 & 255) / 128 - 1;
  }
  return g;
}

template <class T>
T Norm(const std::vector<T>& g) {
  T sum = 0;
  for (const T value : g) sum += value * value;
  return std::sqrt(sum);
}

// The weights after ten steps, split in `parts` as threads would.
template <class P, class T = double, class O>
std::vector<T> Train(const O& optimizer, std::size_t parts = 1) {
  std::vector<T> params = Start<T>();
  std::vector<T> states(O::kStates * kSize);
  for (std::size_t step = 0; step < kSteps; ++step) {
    std::vector<T> gradient = Gradient<T>(step);
    const OptimizerStep<T> now{static_cast<T>(Rate(step)), step + 1,
                               Norm(gradient)};
    for (std::size_t part = 0; part < parts; ++part) {
      const IndexRange range = Partition(kSize, part, parts);
      std::array<T*, O::kStates> state;
      for (std::size_t s = 0; s < O::kStates; ++s) {
        state[s] = states.data() + s * kSize + range.begin;
      }
      optimizer.template Update<P>(
          now, std::span(params).subspan(range.begin, range.size()),
          std::span(gradient).subspan(range.begin, range.size()), state);
    }
  }
  return params;
}

// One weight and what is kept of it.
struct Weight {
  double w;
  double m = 0;
  double v = 0;
};

// The same by update(weight, g, rate, number) for one weight after the other.
template <class F>
std::vector<double> Reference(const F& update) {
  std::vector<double> w = Start<double>();
  for (std::size_t i = 0; i < kSize; ++i) {
    Weight weight{w[i]};
    for (std::size_t step = 0; step < kSteps; ++step) {
      update(weight, Gradient<double>(step)[i], Rate(step),
             static_cast<double>(step + 1));
    }
    w[i] = weight.w;
  }
  return w;
}

template <class V>
void ExpectNear(const std::vector<double>& a, const V& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < kSize; ++i) ASSERT_NEAR(a[i], b[i], 1e-12) << i;
}

// check(rule) for every rule, with weights that are drawn to 0.
template <class F>
void ForEachRule(const F& check) {
  check(Sgd{.weight_decay = 0.03f, .l1 = 0.01f});
  check(Momentum{.weight_decay = 0.03f, .l1 = 0.01f});
  check(Nesterov{.weight_decay = 0.03f, .l1 = 0.01f});
  check(RmsProp{.weight_decay = 0.03f, .l1 = 0.01f});
  check(Adam{.weight_decay = 0.03f, .l1 = 0.01f});
  check(AdamW{.l1 = 0.01f});
  check(ClipByValue<Adam>{{.l1 = 0.01f}, 0.25f});
  check(ClipByNorm<ClipByValue<Momentum>>{{{.l1 = 0.01f}, 0.25f}, 2});
}

struct Penalty {
  float l2;
  float l1;
  // The gradient of the loss and both penalties.
  double operator()(double g, double w) const {
    return g + double{l2} * w + double{l1} * ((w > 0) - (w < 0));
  }
};
constexpr std::array<Penalty, 4> kPenalties = {
    {{0, 0}, {0.03f, 0}, {0, 0.02f}, {0.03f, 0.02f}}};

TYPED_TEST(OptimizerTest, SgdEqualsThePlainLoop) {
  for (const Penalty& penalty : kPenalties) {
    const auto reference = [&](Weight& x, double g, double rate, double) {
      x.w -= rate * penalty(g, x.w);
    };
    ExpectNear(
        Train<TypeParam>(Sgd{.weight_decay = penalty.l2, .l1 = penalty.l1}),
        Reference(reference));
  }
}

TYPED_TEST(OptimizerTest, MomentumEqualsThePlainLoop) {
  for (const Penalty& penalty : kPenalties) {
    const auto reference = [&](Weight& x, double g, double rate, double) {
      x.v = double{0.8f} * x.v + penalty(g, x.w);
      x.w -= rate * x.v;
    };
    const Momentum rule{
        .momentum = 0.8f, .weight_decay = penalty.l2, .l1 = penalty.l1};
    ExpectNear(Train<TypeParam>(rule), Reference(reference));
  }
}

TYPED_TEST(OptimizerTest, NesterovEqualsThePlainLoop) {
  for (const Penalty& penalty : kPenalties) {
    const auto reference = [&](Weight& x, double g, double rate, double) {
      g = penalty(g, x.w);
      x.v = double{0.8f} * x.v + g;
      x.w -= rate * (g + double{0.8f} * x.v);
    };
    const Nesterov rule{
        .momentum = 0.8f, .weight_decay = penalty.l2, .l1 = penalty.l1};
    ExpectNear(Train<TypeParam>(rule), Reference(reference));
  }
}

TYPED_TEST(OptimizerTest, RmsPropEqualsThePlainLoop) {
  for (const Penalty& penalty : kPenalties) {
    const auto reference = [&](Weight& x, double g, double rate, double) {
      g = penalty(g, x.w);
      x.v = double{0.9f} * x.v + (1 - double{0.9f}) * g * g;
      x.w -= rate * g / (std::sqrt(x.v) + double{1e-3f});
    };
    const RmsProp rule{.alpha = 0.9f,
                       .epsilon = 1e-3f,
                       .weight_decay = penalty.l2,
                       .l1 = penalty.l1};
    ExpectNear(Train<TypeParam>(rule), Reference(reference));
  }
}

// The paper's algorithm 1 as it stands.
void AdamStep(Weight& x, double g, double rate, double t) {
  constexpr double kBeta1 = 0.8f, kBeta2 = 0.99f, kEpsilon = 1e-3f;
  x.m = kBeta1 * x.m + (1 - kBeta1) * g;
  x.v = kBeta2 * x.v + (1 - kBeta2) * g * g;
  const double m = x.m / (1 - std::pow(kBeta1, t));
  const double v = x.v / (1 - std::pow(kBeta2, t));
  x.w -= rate * m / (std::sqrt(v) + kEpsilon);
}

TYPED_TEST(OptimizerTest, AdamEqualsThePlainLoop) {
  for (const Penalty& penalty : kPenalties) {
    const auto reference = [&](Weight& x, double g, double rate, double t) {
      AdamStep(x, penalty(g, x.w), rate, t);
    };
    const Adam rule{.beta1 = 0.8f,
                    .beta2 = 0.99f,
                    .epsilon = 1e-3f,
                    .weight_decay = penalty.l2,
                    .l1 = penalty.l1};
    ExpectNear(Train<TypeParam>(rule), Reference(reference));
  }
}

TYPED_TEST(OptimizerTest, AdamWEqualsThePlainLoop) {
  for (const Penalty& penalty : kPenalties) {
    const auto reference = [&](Weight& x, double g, double rate, double t) {
      g = Penalty{0, penalty.l1}(g, x.w);
      x.w -= rate * double{penalty.l2} * x.w;
      AdamStep(x, g, rate, t);
    };
    const AdamW rule{.beta1 = 0.8f,
                     .beta2 = 0.99f,
                     .epsilon = 1e-3f,
                     .weight_decay = penalty.l2,
                     .l1 = penalty.l1};
    ExpectNear(Train<TypeParam>(rule), Reference(reference));
  }
}

TYPED_TEST(OptimizerTest, ClipByValueClipsBeforeThePenalty) {
  const auto reference = [&](Weight& x, double g, double rate, double) {
    x.w -= rate * Penalty{0.03f, 0.02f}(std::clamp(g, -0.25, 0.25), x.w);
  };
  const ClipByValue<Sgd> rule{{.weight_decay = 0.03f, .l1 = 0.02f}, 0.25f};
  ExpectNear(Train<TypeParam>(rule), Reference(reference));
}

TYPED_TEST(OptimizerTest, ClipByNormShortensLongGradientsOnly) {
  const auto norm = static_cast<float>(Norm(Gradient<double>(3)));
  for (const float max_norm : {1.0f, norm, 100.0f}) {
    const auto reference = [&](Weight& x, double g, double rate, double t) {
      const auto step = static_cast<std::size_t>(t) - 1;
      const double length = Norm(Gradient<double>(step)) + double{1e-6f};
      g *= std::min(1.0, double{max_norm} / length);
      x.w -= rate * Penalty{0.03f, 0}(g, x.w);
    };
    const ClipByNorm<Sgd> rule{{.weight_decay = 0.03f}, max_norm};
    ExpectNear(Train<TypeParam>(rule), Reference(reference));
  }
  EXPECT_EQ(Train<TypeParam>(ClipByNorm<Adam>{{}, 100}),
            Train<TypeParam>(Adam{}));
}

TYPED_TEST(OptimizerTest, EqualsPyTorch) {
  constexpr float kDecay = 0.03f;
  ExpectNear(Train<TypeParam>(Sgd{.weight_decay = kDecay}), fixtures::kSgd);
  ExpectNear(Train<TypeParam>(Momentum{.weight_decay = kDecay}),
             fixtures::kMomentum);
  ExpectNear(Train<TypeParam>(Nesterov{.weight_decay = kDecay}),
             fixtures::kNesterov);
  ExpectNear(Train<TypeParam>(RmsProp{.weight_decay = kDecay}),
             fixtures::kRmsProp);
  ExpectNear(Train<TypeParam>(Adam{.weight_decay = kDecay}), fixtures::kAdam);
  ExpectNear(Train<TypeParam>(AdamW{.weight_decay = kDecay}), fixtures::kAdamW);
  ExpectNear(
      Train<TypeParam>(ClipByValue<Adam>{{.weight_decay = kDecay}, 0.5f}),
      fixtures::kAdamByValue);
  ExpectNear(Train<TypeParam>(ClipByNorm<Adam>{{.weight_decay = kDecay}, 3}),
             fixtures::kAdamByNorm);
}

TYPED_TEST(OptimizerTest, FloatsFollowDoubles) {
  ForEachRule([](const auto& rule) {
    const std::vector<float> floats = Train<TypeParam, float>(rule);
    const std::vector<double> doubles = Train<TypeParam>(rule);
    for (std::size_t i = 0; i < kSize; ++i) {
      ASSERT_NEAR(floats[i], doubles[i], 2e-6) << rule.kName << " " << i;
    }
  });
}

TYPED_TEST(OptimizerTest, BitsDoNotDependOnTheSplit) {
  ForEachRule([](const auto& rule) {
    for (const std::size_t parts : {2u, 3u, 50u}) {
      EXPECT_EQ(Train<TypeParam>(rule, parts), Train<TypeParam>(rule))
          << rule.kName << " in " << parts;
    }
  });
}

}  // namespace
}  // namespace hpcnn
