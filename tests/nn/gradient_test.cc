// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Finite differences against every loss and whole networks; those against every
// layer are in gradient_cases.h.
//
// A new loss goes into the list AllLosses: the scan of the headers fails while
// it is not there.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/percent.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/loss/binary_cross_entropy.h"
#include "hpcnn/loss/mean_absolute_error.h"
#include "hpcnn/loss/mean_squared_error.h"
#include "hpcnn/loss/softmax_cross_entropy.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/conv2d.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/depthwise_conv2d.h"
#include "hpcnn/nn/dropout.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/gradient_check.h"
#include "hpcnn/nn/layer_norm.h"
#include "hpcnn/nn/mlp.h"
#include "hpcnn/nn/pool.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/nn/softmax.h"
#include "tests/nn/gradient_cases.h"

namespace hpcnn {
namespace {

// Random targets for each loss.
template <class L>
struct RandomTargets;

template <>
struct RandomTargets<SoftmaxCrossEntropy> {
  RandomTargets(std::size_t samples, std::size_t classes) {
    RandomStream stream({.seed = 7});
    for (std::size_t i = 0; i < samples; ++i) {
      labels.push_back(static_cast<std::uint8_t>(
          stream.Below(static_cast<std::uint32_t>(classes))));
    }
  }
  std::span<const std::uint8_t> view() const { return labels; }
  std::vector<std::uint8_t> labels;
};

// A number within [kLowest, 1] for each output.
template <int kLowest>
struct RandomNumbers {
  RandomNumbers(std::size_t samples_in, std::size_t classes_in)
      : samples(samples_in), classes(classes_in) {
    RandomStream stream({.seed = 7});
    for (std::size_t i = 0; i < samples * classes; ++i) {
      values.push_back(stream.Uniform(kLowest, 1));
    }
  }
  MatrixView<const double> view() const {
    return {values.data(), samples, classes};
  }
  std::size_t samples;
  std::size_t classes;
  std::vector<double> values;
};

template <>
struct RandomTargets<MeanSquaredError> : RandomNumbers<-1> {
  using RandomNumbers::RandomNumbers;
};
template <>
struct RandomTargets<MeanAbsoluteError> : RandomNumbers<-1> {
  using RandomNumbers::RandomNumbers;
};
template <>
struct RandomTargets<BinaryCrossEntropy> : RandomNumbers<0> {
  using RandomNumbers::RandomNumbers;
};

using AllLosses = ::testing::Types<SoftmaxCrossEntropy, BinaryCrossEntropy,
                                   MeanSquaredError, MeanAbsoluteError>;

template <class L>
class LossGradientTest : public ::testing::Test {};
TYPED_TEST_SUITE(LossGradientTest, AllLosses);

TYPED_TEST(LossGradientTest, EqualsFiniteDifferences) {
  for (const std::size_t samples : {1u, 2u, 7u}) {
    for (const std::size_t classes : {1u, 3u, 10u, 37u}) {
      SCOPED_TRACE(testing::Message()
                   << "samples " << samples << ", classes " << classes);
      const RandomTargets<TypeParam> targets(samples, classes);
      const auto scalar = CheckLossGradient<Scalar, TypeParam>(
          targets.view(), samples, classes);
      EXPECT_LE(scalar.input, kGradientTolerance);
      const auto simd =
          CheckLossGradient<Simd, TypeParam>(targets.view(), samples, classes);
      EXPECT_LE(simd.input, kGradientTolerance);
    }
  }
}

TYPED_TEST(LossGradientTest, OfNetworksEqualsFiniteDifferences) {
  const auto check = []<class Net>() {
    for (const std::size_t samples : {1u, 3u}) {
      const RandomTargets<TypeParam> targets(samples,
                                             Net::OutputShape::kVolume);
      const auto scalar = CheckNetworkGradients<Scalar, Net, TypeParam>(
          targets.view(), samples);
      EXPECT_LE(scalar.parameters, kGradientTolerance);
      const auto simd =
          CheckNetworkGradients<Simd, Net, TypeParam>(targets.view(), samples);
      EXPECT_LE(simd.parameters, kGradientTolerance);
    }
  };
  check.template operator()<Mlp<2, 3, 1>>();
  check.template operator()<MlpOf<Relu, 5, 7, 6, 3>>();
  check.template
  operator()<Sequential<Input<1, 3, 5>, Flatten, Dense<4>, Relu, Dense<3>>>();
  // Begins with a layer that works in place, on a batch that must stay.
  check.template operator()<
      Sequential<Input<2, 3>, Tanh, Flatten, Dense<4>, Relu, Dense<2>>>();
  // Convolutions, pooled: scratch, and an input that is read on the way back.
  check.template operator()<Sequential<
      Input<1, 8, 6>, Conv2d<2, 3, 3>, Relu, MaxPool<2>,
      Conv2d<3, 2, 2, Stride<1>, Padding<1>>, Tanh, GlobalAvgPool, Dense<3>>>();
  // Others that read their input; one with random numbers, in place.
  check.template operator()<
      Sequential<Input<2, 4, 5>, DepthwiseConv2d<2, 3>, LayerNorm, Gelu,
                 Dropout<Percent<30>>, Flatten, Dense<4>, Elu<>,
                 Dropout<Percent<30>>, Reshape<2, 2>, LeakyRelu<>, Flatten>>();
  // Two in a row: the second must not overwrite what the first one needs.
  check.template operator()<Sequential<Input<4>, Dense<5>, Sigmoid, Tanh,
                                       Flatten, Relu, Dense<3>, Softmax>>();
}

// Layers that the check must refuse.
template <int Millionths>
struct WrongBy {
  template <ShapeType In>
  struct On : ParameterFree<In, In> {
    using Expects = AnyShape;
    static constexpr std::size_t kForwardFlops = 0;
    static constexpr bool kInPlace = false;
    template <ExecutionPolicy P, class T>
    static void Forward(const ForwardPass<T>& pass) {
      for (std::size_t n = 0; n < pass.x.rows(); ++n) {
        for (std::size_t i = 0; i < In::kVolume; ++i) {
          pass.y(n, i) = pass.x(n, i);
        }
      }
    }
    template <ExecutionPolicy P, class T>
    static void BackwardInput(const BackwardPass<T>& pass) {
      for (std::size_t n = 0; n < pass.d_y.rows(); ++n) {
        for (std::size_t i = 0; i < In::kVolume; ++i) {
          pass.d_x(n, i) = (T{1} + T{Millionths} * T{1e-6}) * pass.d_y(n, i);
        }
      }
    }
  };
};

template <ShapeType In>
struct ForgetsTheLast : WrongBy<0>::On<In> {
  template <ExecutionPolicy P, class T>
  static void BackwardInput(const BackwardPass<T>& pass) {
    for (std::size_t i = 0; i + 1 < In::kVolume; ++i) {
      pass.d_x(0, i) = pass.d_y(0, i);
    }
  }
};

template <ShapeType In>
struct ForgetsTheBias : Dense<3>::On<In> {
  template <ExecutionPolicy P, class T>
  static void BackwardParameters(const ParameterPass<T>& pass) {
    Dense<3>::On<In>::template BackwardParameters<P>(pass);
    if (pass.rows.end > In::kVolume) pass.d_params.back() = 0;
  }
};

TEST(GradientCheckTest, RefusesAWrongGradient) {
  using Five = Shape<5>;
  EXPECT_LE((CheckLayerGradients<Scalar, WrongBy<0>::On<Five>>().Worst()),
            kGradientTolerance);
  EXPECT_GT((CheckLayerGradients<Scalar, WrongBy<1>::On<Five>>().input),
            kGradientTolerance);
  EXPECT_GT((CheckLayerGradients<Scalar, ForgetsTheLast<Five>>(1).input), 1e9);
  EXPECT_GT((CheckLayerGradients<Simd, ForgetsTheBias<Five>>().parameters),
            kGradientTolerance);
}

// y = tanh(w x), a row w an element: its gradient reads the parameters.
struct TanhOfMultiple {
  static constexpr const char* kName = "TanhOfMultiple";
  template <ShapeType In>
  struct On {
    using Input = In;
    using Output = In;
    using Expects = AnyShape;
    static constexpr std::size_t kParameterRows = In::kVolume;
    static constexpr std::size_t kRowSize = 1;
    static constexpr std::size_t kForwardFlops = 2 * In::kVolume;
    static constexpr bool kInPlace = false;
    static constexpr bool kReadsInput = true;
    template <class T>
    static void Initialise(std::span<T> params, RandomStream&) {
      std::ranges::fill(params, T{1});
    }
    template <ExecutionPolicy P, class T>
    static void Forward(const ForwardPass<T>& pass) {
      for (std::size_t n = 0; n < pass.x.rows(); ++n) {
        for (std::size_t i = 0; i < In::kVolume; ++i) {
          pass.y(n, i) = std::tanh(pass.params[i] * pass.x(n, i));
        }
      }
    }
    template <ExecutionPolicy P, class T>
    static void BackwardInput(const BackwardPass<T>& pass) {
      for (std::size_t n = 0; n < pass.x.rows(); ++n) {
        for (std::size_t i = 0; i < In::kVolume; ++i) {
          pass.d_x(n, i) = Slope(pass.params[i] * pass.x(n, i)) *
                           pass.params[i] * pass.d_y(n, i);
        }
      }
    }
    template <ExecutionPolicy P, class T>
    static void BackwardParameters(const ParameterPass<T>& pass) {
      for (std::size_t r = 0; r < pass.rows.size(); ++r) {
        const std::size_t i = pass.rows.begin + r;
        pass.d_params[r] = 0;
        for (std::size_t n = 0; n < pass.x.rows(); ++n) {
          pass.d_params[r] += Slope(pass.params[r] * pass.x(n, i)) *
                              pass.x(n, i) * pass.d_y(n, i);
        }
      }
    }

   private:
    template <class T>
    static T Slope(T x) {
      return 1 - std::tanh(x) * std::tanh(x);
    }
  };
};

TEST(GradientCheckTest, OfParametersMayReadThem) {
  const auto alone = CheckLayerGradients<Simd, TanhOfMultiple::On<Shape<7>>>();
  EXPECT_LE(alone.Worst(), kGradientTolerance);
  using Net = Sequential<Input<3>, Dense<5>, TanhOfMultiple, Dense<2>>;
  const RandomTargets<MeanSquaredError> targets(4, 2);
  const auto inside =
      CheckNetworkGradients<Simd, Net, MeanSquaredError>(targets.view(), 4);
  EXPECT_LE(inside.parameters, kGradientTolerance);
}

// Some of these draws come within two steps of the kink, where differences are
// wrong.
TEST(GradientCheckTest, DrawsAgainNearAKink) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto errors = CheckLayerGradients<Simd, Relu::On<Shape<37>>>(5, seed);
    EXPECT_LE(errors.input, kGradientTolerance) << seed;
  }
}

std::string Read(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The names that follow `before` in the headers of a folder. Layers and losses
// have a name by their concepts, so none is without one here.
std::set<std::string> Scan(const std::string& folder,
                           const std::string& before) {
  constexpr const char* kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".h") continue;
    const std::string text = Read(entry.path());
    for (std::size_t at = text.find(before); at != std::string::npos;
         at = text.find(before, at)) {
      at += before.size();
      names.insert(text.substr(at, text.find_first_not_of(kLetters, at) - at));
    }
  }
  return names;
}

template <class... Layer>
std::set<std::string> LayerNames(::testing::Types<Layer...>) {
  return {Layer::kName...};
}
template <class... L>
std::set<std::string> LossNames(::testing::Types<L...>) {
  return {L::kName...};
}

TEST(GradientCheckTest, CoversEveryLayerOfTheLibrary) {
  std::set<std::string> names = LayerNames(hpcnn_test::ElementLayers{});
  names.merge(LayerNames(hpcnn_test::ConvLayers{}));
  names.merge(LayerNames(hpcnn_test::ReductionLayers{}));
  // What branches is no layer itself: branch_test.cc.
  names.insert({"Chain", "Concat", "Residual", "SumOf"});
  EXPECT_EQ(Scan("hpcnn/nn", "kName = \""), names);
}

TEST(GradientCheckTest, CoversEveryLossOfTheLibrary) {
  std::set<std::string> names = LossNames(AllLosses{});
  names.insert("JointLoss");  // is made of others: joint_loss_test.cc
  EXPECT_EQ(Scan("hpcnn/loss", "kName = \""), names);
}

}  // namespace
}  // namespace hpcnn
